using System.IO.Pipelines;
using System.Text;
using BulkImporter.Export;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Sources;
using BulkImporter.Tests.Imports;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Manifests;

/// <summary>Uploads, reads and exports manifests for an account of their own.</summary>
internal sealed class ManifestStage(EngineDatabase database, string account, SourceUrlRules? sourceRules = null)
{
    private readonly SourceUrlRules rules = sourceRules ?? new SourceUrlRules(new ManifestOptions());

    public string Account => account;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public PreviewManifest Preview =>
        new(database.Source, new ManifestBytes(database.Source), rules, TimeProvider.System, NullLogger<PreviewManifest>.Instance);

    public static async Task<ManifestStage> OfAsync(EngineDatabase database, double submitRate = 0, SourceUrlRules? rules = null)
    {
        var id = await database.AccountAsync(submitRate: submitRate);
        return new(database, await database.OneAsync<string>("SELECT name FROM importer.account WHERE id = $1", id), rules);
    }

    public Task<int> ReadAsync(string text, Func<NewImport, NewImport>? settings = null) =>
        ReadAsync(Encoding.UTF8.GetBytes(text), settings);

    /// <summary>Uploads a manifest and parses it. Returns the import.</summary>
    public async Task<int> ReadAsync(byte[] bytes, Func<NewImport, NewImport>? settings = null)
    {
        var manifest = await new UploadManifest(database.Source, Options.Create(new ManifestOptions()))
            .RunAsync(new MemoryStream(bytes), "library.csv", Token);
        var import = new NewImport(manifest.Id, "ann") { Account = account, Settings = new() { ChunkSize = 2 } };
        var id = (await new CreateImport(database.Contexts, TimeProvider.System).RunAsync(settings?.Invoke(import) ?? import, Token)).Id;
        await ParseAsync(id);
        return id;
    }

    public Task ParseAsync(int id) =>
        new ParseManifest(database.Source, new ManifestBytes(database.Source), new(database.Source), rules, TimeProvider.System,
            NullLogger<ParseManifest>.Instance)
            .RunAsync(id, "library.csv", Token);

    public Task<ImportChange> StartAsync(int id) => NothingInTheWay.Start(database.Source).RunAsync(id, "ann", Token);

    public Task<ImportChange> ReviseAsync(int id, ImportRevision revision) =>
        new ReviseImport(database.Contexts, new ManifestBytes(database.Source)).RunAsync(id, revision, "ann", Token);

    /// <summary>Sends a row, the import being started, and lets it end.</summary>
    public async Task EndAsync(int id, int row, RecordState to)
    {
        var chunk = (row - 1) / 2 + 1;
        await database.SubmitAsync(id, chunk, row);
        var attempt = await database.OneAsync<short>(
            "SELECT attempt_count FROM importer.import_record WHERE import_id = $1 AND row_number = $2", id, row);
        await database.ConcludeAsync(id, row, $"st-{row}-{attempt}", to, to == RecordState.Imported ? null : FailureCode.SourceNotFound);
        await database.SqlAsync(
            "UPDATE importer.import_chunk SET state = 'waiting', lease_token = NULL, lease_until = NULL, lease_owner = NULL, "
                + "lease_window = 0 WHERE import_id = $1 AND number = $2", id, chunk);
    }

    public async Task<CorrectionReport> CorrectAsync(int id, string file) =>
        Assert.IsType<CorrectionDone>(await TryCorrectAsync(id, file)).Report;

    public ReadRowsToFix ToFix => new(database.Source, new ReadRecords(database.Contexts), new ManifestBytes(database.Source));

    public Task<ImportChange> TryCorrectAsync(int id, string file, bool onlyCheck = false) =>
        TryCorrectAsync(id, Encoding.UTF8.GetBytes(file), onlyCheck);

    public Task<ImportChange> TryCorrectAsync(int id, byte[] file, bool onlyCheck = false) =>
        new CorrectRecords(database.Source, database.Transitions, rules, TimeProvider.System, NullLogger<CorrectRecords>.Instance)
            .RunAsync(id, new MemoryStream(file), null, null, null, "ann", Token, onlyCheck);

    public async Task<string> ExportAsync(int id, FileFormat format = FileFormat.Csv, RecordFilter? filter = null, bool isWhole = true) =>
        Encoding.UTF8.GetString((await WriteAsync(id, format, filter ?? RecordFilter.All, isWhole)).Bytes);

    /// <summary>The results as who does not ask for a format gets them.</summary>
    public Task<(FileFormat Format, byte[] Bytes)> ExportAsUploadedAsync(int id) => WriteAsync(id, null, RecordFilter.All, isWhole: true);

    private async Task<(FileFormat Format, byte[] Bytes)> WriteAsync(int id, FileFormat? asked, RecordFilter filter, bool isWhole)
    {
        var export = new ExportResults(database.Contexts, new ManifestBytes(database.Source));
        var ready = Assert.IsType<Exportable.Ready>(await export.FindAsync(id, Token));
        var format = asked ?? await export.FormatAsync(ready, Token);
        using var bytes = new MemoryStream();
        var writer = PipeWriter.Create(bytes, new StreamPipeWriterOptions(leaveOpen: true));
        await export.RunAsync(ready, filter, format, isWhole, writer, Token);
        await writer.CompleteAsync();
        return (format, bytes.ToArray());
    }

    public async Task<List<FindingView>> FindingsAsync(int id)
    {
        var findings = new List<FindingView>();
        await foreach (var finding in new ReadFindings(database.Contexts).AllAsync(id, Token)) findings.Add(finding);
        return findings;
    }
}
