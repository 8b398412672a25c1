using System.Diagnostics;
using System.IO.Pipelines;
using BulkImporter.Cli;
using BulkImporter.Data;
using BulkImporter.Export;
using BulkImporter.Manifests;
using BulkImporter.Parse;
using BulkImporter.Records;
using BulkImporter.Sources;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace BulkImporter.Benchmarks;

/// <summary>
/// Upload and parse with all checks, against <c>psql \copy</c> of the same file into a table of the same columns, constraints, indexes
/// and fillfactor; then the export of what was read in.
/// </summary>
internal sealed class IngestBenchmark(Bench bench, ResultTable table)
{
    private const int Rows = 200_000;

    public async Task RunAsync()
    {
        var ours = new List<double>();
        var psql = new List<double>();
        var export = new List<double>();
        for (var round = 0; round <= bench.Options.Rounds; round++)
        {
            var file = Path.Combine(bench.Folder, $"ingest{round}.csv");
            SampleManifest.Write(file, Rows, $"ingest{round}");
            var copied = await PsqlCopyAsync(file);
            var (import, read) = await IngestAsync(file);
            var exported = await ExportAsync(import);
            await Console.Error.WriteLineAsync(
                $"ingest round {round}: psql {copied:N0}/s, product {read:N0}/s, export {exported:N0}/s, load {ProcFile.LoadAverage():N1}");
            // The first round compiles the code.
            if (round == 0) continue;
            psql.Add(copied);
            ours.Add(read);
            export.Add(exported);
        }
        table.Judge($"ingest ÷ psql \\copy, {Rows:N0} rows", ours.Median() / psql.Median(), "", 1.0, atLeast: true);
        table.Note("ingest, rows/s", string.Join(", ", ours.Select(ResultTable.Number)));
        table.Note("psql \\copy, rows/s", string.Join(", ", psql.Select(ResultTable.Number)));
        table.Judge("export in the process, rows/s", export.Median(), "", 100_000, atLeast: true);
    }

    private async Task<(int Import, double RowsPerSecond)> IngestAsync(string file)
    {
        var transitions = new RecordTransitions(bench.Database);
        var parse = new ParseManifest(bench.Database, new ManifestBytes(bench.Database), transitions,
            new SourceUrlRules(new ManifestOptions()),
            TimeProvider.System, NullLogger<ParseManifest>.Instance);
        await using var manifest = File.OpenRead(file);
        var started = Stopwatch.GetTimestamp();
        var import = await bench.CreateImportAsync(manifest, Path.GetFileName(file));
        await parse.RunAsync(import, "bench", CancellationToken.None);
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (await bench.OneAsync<int>("SELECT row_count FROM importer.import WHERE id = $1 AND state = 'review'", import) != Rows)
            throw new InvalidOperationException("The manifest was not read in.");
        return (import, Rows / seconds);
    }

    private async Task<double> ExportAsync(int import)
    {
        var export = new ExportResults(new Contexts(bench.Database, []), new ManifestBytes(bench.Database));
        if (await export.FindAsync(import, CancellationToken.None) is not Exportable.Ready ready)
            throw new InvalidOperationException("There is nothing to export.");
        var started = Stopwatch.GetTimestamp();
        await export.RunAsync(ready, RecordFilter.All, FileFormat.Csv, isWhole: true, PipeWriter.Create(Stream.Null),
            CancellationToken.None);
        return Rows / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>
    /// Equal: columns and their types, NOT NULL, CHECKs, primary key, partial index, fillfactor, WAL and fsync; a 128-bit key of the
    /// address and the chunk's number, computed by the server. Left out here: foreign key, findings, duplicates, chunks, and keeping the
    /// file.
    /// </summary>
    private async Task<double> PsqlCopyAsync(string file)
    {
        await bench.ExecuteAsync($"""
            DROP TABLE IF EXISTS importer.copied;
            DROP SEQUENCE IF EXISTS importer.copied_row;
            CREATE SEQUENCE importer.copied_row CACHE 1000;
            CREATE TABLE importer.copied (LIKE importer.import_record INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES INCLUDING STORAGE) WITH (fillfactor = 40);
            ALTER TABLE importer.copied
                ALTER import_id SET DEFAULT 1, ALTER row_number SET DEFAULT nextval('importer.copied_row'), ALTER line_number SET DEFAULT 1,
                ALTER state SET DEFAULT 'pending', ALTER attempt_count SET DEFAULT 0, ALTER attempts_left
                    SET DEFAULT 5, ALTER possibly_duplicated SET DEFAULT false,
                DROP chunk_number, DROP source_key;
            ALTER TABLE importer.copied
                ADD chunk_number int NOT NULL GENERATED ALWAYS AS ((row_number - 1) / 500 + 1) STORED,
                ADD source_key uuid GENERATED ALWAYS AS (md5(source_url)::uuid) STORED;
            """);
        await bench.ExecuteAsync("CHECKPOINT");
        var connection = new NpgsqlConnectionStringBuilder(bench.AdministratorConnectionString);
        var environment = new Dictionary<string, string?> { ["PGPASSWORD"] = connection.Password };
        var started = Stopwatch.GetTimestamp();
        await using (var psql = ChildProcess.Start("psql", new ProgramFile("psql", []),
            ["-h", connection.Host!, "-p", $"{connection.Port}", "-U", connection.Username!, "-d", connection.Database!, "-v",
                "ON_ERROR_STOP=1", "-c",
                $"\\copy importer.copied (source_url, caption, reference_id) FROM '{file}' WITH (FORMAT csv, HEADER true)"],
            environment, Path.Combine(bench.Folder, "psql.log"), TimeSpan.FromSeconds(5)))
        {
            await psql.WaitForExitAsync(CancellationToken.None);
        }
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        if (await bench.OneAsync<long>("SELECT count(*) FROM importer.copied") != Rows)
            throw new InvalidOperationException("psql did not copy all rows; its log is psql.log.");
        await bench.ExecuteAsync("CHECKPOINT");
        return Rows / seconds;
    }
}
