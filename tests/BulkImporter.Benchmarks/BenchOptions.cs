using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace BulkImporter.Benchmarks;

/// <summary>What is measured, and how much of it.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        usage: ./run bench [PART]... [--rows N] [--rounds N] [--million N] [--workers N] [--window N]
                          [--program FILE] [--memory N]
          PART           path, workers, snapshot, ingest, million; all of them unless named.
                         With "million full" the million is dispatched too, which takes minutes.
                         "wide" is a million rows of 512 MB and more, with pages looked at meanwhile;
                         "large" is ten million in a hundred imports, which takes a quarter of an hour and 20 GB
          --rows N[,N]   rows of the imports that go the whole path (default 20000,200000); the first is also the
                         records per round of workers and snapshot (default 40000)
          --rounds N     how often the variants take their turns (default 5)
          --million N    rows of the large import (default 1000000)
          --workers N    chunks at a time (default 4, the product's)
          --window N     calls in flight of each (default 64, the product's)
          --program FILE another build of the product, as "dotnet publish --self-contained" makes it
          --memory N     the kernel gives the processes of the product no more than N MB together, their program
                         files included when nothing else has them open; needs root and control groups (version 1)
        """;

    private static readonly string[] Usual = ["path", "workers", "snapshot", "ingest", "million"];
    private static readonly string[] Parts = [.. Usual, "full", "wide", "large"];

    public IReadOnlyList<string> Chosen { get; private init; } = Usual;
    public int Rows { get; private init; } = 40_000;
    public IReadOnlyList<int> PathRows { get; private init; } = [20_000, 200_000];
    public int Rounds { get; private init; } = 5;
    public int Million { get; private init; } = 1_000_000;

    public int Workers { get; private init; } = 4;
    public int Window { get; private init; } = 64;

    /// <summary>Null for the build beside this one.</summary>
    public string? Program { get; private init; }

    /// <summary>Megabytes of 1,048,576 bytes; null for no limit.</summary>
    public int? Memory { get; private init; }

    public bool Runs(string part) => Chosen.Contains(part);

    public static bool TryRead(string[] args, [NotNullWhen(true)] out BenchOptions? options, [NotNullWhen(false)] out string? complaint)
    {
        options = new BenchOptions();
        complaint = null;
        var chosen = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            if (Parts.Contains(args[i])) chosen.Add(args[i]);
            else if (args[i] == "--program" && i + 1 < args.Length) options = options with { Program = args[++i] };
            else if (args[i] == "--rows" && i + 1 < args.Length && TryReadAll(args[i + 1], out var rows))
            {
                options = options with { Rows = rows[0], PathRows = rows };
                i++;
            }
            else if (i + 1 < args.Length && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var number) && number > 0)
            {
                switch (args[i++])
                {
                    case "--rounds": options = options with { Rounds = number }; break;
                    case "--million": options = options with { Million = number }; break;
                    case "--workers": options = options with { Workers = number }; break;
                    case "--window": options = options with { Window = number }; break;
                    case "--memory": options = options with { Memory = number }; break;
                    default: complaint = $"unknown option {args[i - 1]}"; break;
                }
            }
            else complaint = $"not understood: {args[i]}";
        }
        if (chosen.Count > 0) options = options with { Chosen = chosen };
        return complaint is null;
    }

    private static bool TryReadAll(string list, out int[] numbers)
    {
        numbers = [.. list.Split(',').Select(n => int.TryParse(n, CultureInfo.InvariantCulture, out var number) ? number : 0)];
        return numbers.All(n => n > 0);
    }
}
