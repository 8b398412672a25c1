using System.Globalization;

namespace BulkImporter.Benchmarks;

/// <summary>The table of docs/performance.md.</summary>
internal sealed class ResultTable
{
    private readonly List<(string What, string Measured, string Target, bool? Reached)> lines = [];

    /// <summary>A figure with a target.</summary>
    public void Judge(string what, double measured, string unit, double target, bool atLeast) => lines.Add((
        what, $"{Number(measured)}{unit}", $"{(atLeast ? "≥" : "≤")} {Number(target)}{unit}", atLeast
            ? measured >= target : measured <= target));

    /// <summary>A figure that explains another.</summary>
    public void Note(string what, string measured) => lines.Add((what, measured, "", null));

    public void Print(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine("| figure | measured | target | |");
        output.WriteLine("| --- | --- | --- | --- |");
        foreach (var (what, measured, target, reached) in lines)
            output.WriteLine($"| {what} | {measured} | {target} | {(reached is { } known ? known ? "reached" : "**missed**" : "")} |");
    }

    public static string Number(double value) => Math.Abs(value) switch
    {
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 10 => value.ToString("N1", CultureInfo.InvariantCulture),
        _ => value.ToString("N2", CultureInfo.InvariantCulture),
    };
}

internal static class Statistics
{
    public static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The smallest value that at least 95 % of the values do not exceed.</summary>
    public static double Percentile95(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)Math.Ceiling(sorted.Length * 0.95) - 1];
    }
}
