using System.Globalization;
using Cincopa.Client;

namespace BulkImporter.Records;

/// <summary>
/// The one selection of records that lists, counts, reruns and exports share: what the operator sees is what is touched.
/// Everything that is set must hold.
/// </summary>
public sealed record RecordFilter
{
    /// <summary>Every record.</summary>
    public static RecordFilter All { get; } = new();

    public RecordState? State { get; init; }

    /// <summary>The code of the last failure, or of the finding that made the row invalid.</summary>
    public string? Code { get; init; }

    public IReadOnlyList<int>? RowNumbers { get; init; }

    /// <summary>Part of the source URL, caption or reference id as they are shown, of status_id or rid, in any case; or a row number.</summary>
    public string? Search { get; init; }

    /// <summary>Only records that Cincopa works on and that have not moved for this long.</summary>
    public TimeSpan? Stalled { get; init; }

    /// <summary>Only imported records whose asset is finished so far: <c>pending</c>, <c>done</c> or <c>failed</c>.</summary>
    public string? Finish { get; init; }

    /// <summary>True when the chunks' counters answer how many records it selects.</summary>
    internal bool IsByStateOnly => Code is null && RowNumbers is null && Search is null && Stalled is null && Finish is null;

    /// <summary>True when no counter and no index tells which records it selects: they are looked at one by one.</summary>
    public bool IsLookedFor => Search is { Length: > 0 } || Stalled is not null;

    /// <summary>The condition on <c>importer.import_record r</c>, beginning with AND; empty when all are selected. Values go to <paramref name="parameters"/>.</summary>
    internal string Condition(List<object?> parameters)
    {
        var sql = "";
        if (State is { } state) sql += $" AND r.state = {Next(Data.EnumText<RecordState>.Of(state))}";
        if (Code is { } code) sql += $" AND r.error_code = {Next(code)}";
        if (RowNumbers is { } rows) sql += $" AND r.row_number = ANY({Next(rows.ToArray())})";
        if (Search is { Length: > 0 } search)
        {
            var pattern = Next(Data.Like.Containing(search));
            var row = int.TryParse(search, CultureInfo.InvariantCulture, out var number) ? $" OR r.row_number = {Next(number)}" : "";
            sql += $" AND ({Shows("r.source_url")} OR {Shows("r.caption")} OR {Shows("r.reference_id")} OR r.rid ILIKE {pattern} OR r.status_id ILIKE {pattern}{row})";

            // What is found is what is shown (ADR 34): otherwise a signature could be found out, sign by sign. The patterns run over what was found only.
            string Shows(string column) => $"({column} ILIKE {pattern} AND {WithoutSecrets(column)} ILIKE {pattern})";
        }
        if (Stalled is { } time)
            sql += $" AND EXISTS (SELECT 1 FROM importer.status_poll s WHERE s.import_id = r.import_id AND s.row_number = r.row_number AND r.state = 'submitted' AND s.moved_at < now() - {Next(time)}::interval)";
        if (Finish is { } finish)
            sql += $" AND EXISTS (SELECT 1 FROM importer.record_finish e WHERE e.import_id = r.import_id AND e.row_number = r.row_number AND e.state = {Next(finish)})";
        return sql;

        string Next(object value)
        {
            parameters.Add(value);
            return $"${parameters.Count}";
        }
    }

    /// <summary>SQL: a text as <see cref="Redact.Secrets"/> shows it.</summary>
    internal static string WithoutSecrets(string column) =>
        $"regexp_replace(regexp_replace({column}, {Literal(Redact.SecretParameterPattern)}, '\\1{Redact.Mark}', 'gix'), {Literal(Redact.UrlCredentialsPattern)}, '{Redact.Mark}@', 'gi')";

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>For the audit log.</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        if (State is { } state) parts.Add($"state {Data.EnumText<RecordState>.Of(state)}");
        if (Code is { } code) parts.Add($"code {code}");
        if (RowNumbers is { } rows) parts.Add($"{rows.Count} named rows");
        if (Search is { Length: > 0 } search) parts.Add($"text '{Redact.Secrets(search)}'");
        if (Stalled is { } time) parts.Add(string.Create(CultureInfo.InvariantCulture, $"stalled for {time.TotalMinutes:0.##} min"));
        if (Finish is { } finish) parts.Add($"finishing {finish}");
        return parts.Count == 0 ? "all records" : string.Join(", ", parts);
    }
}
