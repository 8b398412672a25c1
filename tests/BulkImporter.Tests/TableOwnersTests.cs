using System.Text.RegularExpressions;
using BulkImporter.Data;
using Microsoft.EntityFrameworkCore;

namespace BulkImporter.Tests;

/// <summary>
/// Each table belongs to the folder of its entity, and only that folder writes it. Others ask an operation of the owner, or put a fragment
/// of its SQL into their statement.
/// </summary>
public sealed partial class TableOwnersTests
{
    /// <summary>What may write tables of others, and why.</summary>
    private static readonly Dictionary<string, string[]> Exceptions = new()
    {
        // A record's state and what hangs on it change in one statement: the poll, the finishing, the push.
        ["Records/RecordTransitions"] = ["import_chunk", "push_upload", "reconcile_candidate", "record_finish", "record_undo", "status_poll"],
        // An import's rows go together, in an order that their foreign keys allow.
        ["Imports/ForgetRows"] = ["probe", "source_key_block", "record_meta", "finding", "import_record", "correction"],
        // A fact is noted by the statement that makes it happen; Notify sends it.
        ["Accounts/Facts"] = ["notification"],
    };

    private static readonly Dictionary<string, string> Owners = ReadOwners();

    [Fact]
    public void A_table_is_written_only_by_the_folder_that_owns_it()
    {
        var writes = Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetRelativePath(Source, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .Where(file => !file.Name.StartsWith("obj/", StringComparison.Ordinal))
            .SelectMany(file => Write().Matches(file.Text).Select(match => (file.Name, Table: match.Groups["table"].Value)))
            .Distinct().ToList();
        Assert.True(writes.Count > 40, $"Only {writes.Count} writes were found: the pattern no longer sees how they are written.");

        var foreign = writes.Where(write => !IsAllowed(write.Name, write.Table))
            .Select(write => $"{write.Name} writes {write.Table}, which belongs to {Owners.GetValueOrDefault(write.Table, "nobody")}");
        Assert.True(!foreign.Any(), string.Join(Environment.NewLine, foreign.Order()));
    }

    [Fact]
    public void Entities_are_changed_by_EF_only_in_their_own_folder()
    {
        var folders = Entities().ToDictionary(entity => entity.ClrType.Name, entity => Folder(entity.ClrType));
        var foreign = Directory.EnumerateFiles(Source, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetRelativePath(Source, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .SelectMany(file => Change().Matches(file.Text).Select(match => (file.Name, Entity: match.Groups["entity"].Value)))
            .Where(change => folders.TryGetValue(change.Entity, out var owner)
                && !change.Name.StartsWith(owner + "/", StringComparison.Ordinal))
            .Select(change => $"{change.Name} changes {change.Entity}, which belongs to {folders[change.Entity]}");
        Assert.True(!foreign.Any(), string.Join(Environment.NewLine, foreign.Distinct().Order()));
    }

    private static string Source => Path.Combine(Repository.Root, "src", "BulkImporter");

    private static bool IsAllowed(string file, string table) =>
        (Owners.TryGetValue(table, out var owner) && file.StartsWith(owner + "/", StringComparison.Ordinal))
        || Exceptions.Any(e => file.StartsWith(e.Key, StringComparison.Ordinal) && (e.Value.Contains(table) || table.Length == 0));

    private static Dictionary<string, string> ReadOwners() =>
        Entities().Where(e => e.ClrType.Namespace!.StartsWith("BulkImporter.", StringComparison.Ordinal))
            .ToDictionary(e => e.GetTableName()!, e => Folder(e.ClrType));

    private static IEnumerable<Microsoft.EntityFrameworkCore.Metadata.IEntityType> Entities()
    {
        var options = new DbContextOptionsBuilder<ImporterDb>().UseNpgsql("Host=nowhere").UseSnakeCaseNamingConvention().Options;
        using var db = new ImporterDb(options);
        return [.. db.Model.GetEntityTypes().Where(e => !e.IsOwned() && e.GetTableName() is not null)];
    }

    private static string Folder(Type type) => type.Namespace!.Split('.')[1];

    // A table that is put in by interpolation is no table that this test can see: its name is empty then, which only the exceptions may
    // have.
    [GeneratedRegex(
        @"(?:INSERT INTO|UPDATE|DELETE FROM|TRUNCATE|COPY) (?:ONLY )?importer\.(?<table>[a-z_]*)|new CopyRows\(""importer\.(?<table>[a-z_]+)""")]
    private static partial Regex Write();

    [GeneratedRegex(
        @"\b(?:Add|Remove|Update|Attach)\(new (?<entity>\w+)\b|Set<(?<entity>\w+)>\(\)(?:(?!Set<)[^;])*?\.(?:ExecuteUpdate|ExecuteDelete|Add|Remove)(?:Async)?\(")]
    private static partial Regex Change();
}
