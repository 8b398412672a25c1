using BulkImporter.Data;
using BulkImporter.Imports;
using BulkImporter.Manifests;
using BulkImporter.Records;
using Microsoft.Extensions.Options;

namespace BulkImporter.Tests.Imports;

public sealed class CreateImportTests(ImporterDatabase database) : IClassFixture<ImporterDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private CreateImport Create => new(database.Contexts, TimeProvider.System);

    [Fact]
    public async Task An_import_takes_the_name_of_its_file_and_waits_for_the_parse_when_nothing_else_is_said()
    {
        var created = await Create.RunAsync(new NewImport(await ManifestAsync(), "ann"), Token);
        var import = await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).FindAsync(created.Id, Token);
        Assert.NotNull(import);
        Assert.Equal(("library.csv", "default", ImportState.Parsing, 5, WhenUnknown.Hold, false),
            (import.Name, import.Account, import.State, import.MaxAttempts, import.WhenUnknown, import.StartWhenParsed));
        Assert.True(await database.OneAsync<bool>("SELECT parse_queued_at IS NULL AND chunk_size = 500 FROM importer.import WHERE id = $1",
            created.Id));
    }

    [Fact]
    public async Task What_is_said_is_kept()
    {
        var created = await Create.RunAsync(new NewImport(await ManifestAsync(), "ann")
        {
            Name = "Spring",
            Mapping = "url=Where",
            Start = true,
            Settings = new() { MaxAttempts = 2, WhenUnknown = WhenUnknown.Resubmit, Priority = 7, Fid = "F1", ChunkSize = 10 }
        }, Token);
        var import = await new ReadImports(database.Contexts, Options.Create(new WorkOptions())).FindAsync(created.Id, Token);
        Assert.NotNull(import);
        Assert.Equal(("Spring", "url=Where", true, 2, WhenUnknown.Resubmit, 7, "F1"),
            (import.Name, import.Mapping, import.StartWhenParsed, import.MaxAttempts, import.WhenUnknown, import.Priority, import.Fid));
    }

    [Fact]
    public async Task The_same_key_again_answers_with_the_first_import_and_another_key_makes_another()
    {
        var first = await Create.RunAsync(new NewImport(await ManifestAsync(), "ann") { IdempotencyKey = "k1" }, Token);
        var again = await Create.RunAsync(new NewImport(await ManifestAsync(), "ann") { IdempotencyKey = "k1" }, Token);
        var other = await Create.RunAsync(new NewImport(await ManifestAsync(), "ann") { IdempotencyKey = "k2" }, Token);
        Assert.Equal(first with { Existed = true }, again);
        Assert.NotEqual(first.Id, other.Id);
    }

    [Fact]
    public async Task Of_many_creates_with_one_key_at_once_one_makes_the_import()
    {
        var manifest = await ManifestAsync();
        var created = await Task.WhenAll(Enumerable.Range(0, 12)
            .Select(_ => Task.Run(() => Create.RunAsync(new NewImport(manifest, "ann") { IdempotencyKey = "race" }, Token))));
        Assert.Single(created.Select(c => c.Id).Distinct());
        Assert.Single(created, c => !c.Existed);
        Assert.Equal(1L, await database.OneAsync<long>("SELECT count(*) FROM importer.audit_entry WHERE import_id = $1", created[0].Id));
    }

    [Fact]
    public async Task An_account_that_is_not_there_is_named_with_the_way_to_add_it()
    {
        var manifest = await ManifestAsync();
        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() =>
            Create.RunAsync(new NewImport(manifest, "ann") { Account = "museum" }, Token));
        Assert.Equal("account", refused.Argument);
        Assert.Contains("account add museum", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Account_may_be_left_out_when_there_is_only_one_or_one_is_called_default()
    {
        await database.SqlAsync("UPDATE importer.account SET name = 'museum'");
        try
        {
            var made = await Create.RunAsync(new NewImport(await ManifestAsync(), "ann"), Token);
            Assert.Equal("museum", await database.OneAsync<string>(
                "SELECT a.name FROM importer.account a JOIN importer.import i ON i.account_id = a.id WHERE i.id = $1", made.Id));

            await database.SqlAsync("INSERT INTO importer.account SELECT (json_populate_record(a, '{\"id\":77,\"name\":\"archive\"}')).* "
                + "FROM importer.account a");
            var manifest = await ManifestAsync();
            var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => Create.RunAsync(new NewImport(manifest, "ann"), Token));
            Assert.Equal(("account", "There is more than one account. Name one of these: archive, museum."),
                (refused.Argument, refused.Message));
        }
        finally
        {
            await database.SqlAsync("DELETE FROM importer.account WHERE id = 77");
            await database.SqlAsync("UPDATE importer.account SET name = 'default'");
        }
    }

    [Fact]
    public async Task A_manifest_that_was_not_received_completely_cannot_be_imported()
    {
        var partial = new Manifest { FileName = "x", CreatedAt = DateTimeOffset.UtcNow };
        await database.AddAsync(partial);
        var refused = await Assert.ThrowsAsync<InvalidArgumentException>(() => Create.RunAsync(new NewImport(partial.Id, "ann"), Token));
        Assert.Equal("manifest", refused.Argument);
    }

    [Theory]
    [InlineData(0, null, null, "maxAttempts")]
    [InlineData(null, 0, null, "chunkSize")]
    [InlineData(null, null, "nonsense", "map")]
    public async Task A_setting_that_cannot_be_meant_is_named(int? maxAttempts, int? chunkSize, string? mapping, string argument)
    {
        var import = new NewImport(await ManifestAsync(), "ann")
        {
            Mapping = mapping,
            Settings = new() { MaxAttempts = maxAttempts ?? 5, ChunkSize = chunkSize ?? 500 }
        };
        Assert.Equal(argument, (await Assert.ThrowsAsync<InvalidArgumentException>(() => Create.RunAsync(import, Token))).Argument);
    }

    private async Task<int> ManifestAsync()
    {
        var manifest = ImporterDatabase.Manifest();
        await database.AddAsync(manifest);
        return manifest.Id;
    }
}
