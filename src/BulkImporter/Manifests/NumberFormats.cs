using System.Xml;
using ExcelNumberFormat;

namespace BulkImporter.Manifests;

/// <summary>
/// Shows the numbers of a workbook as people see them in it: with their decimals, leading zeros and signs, and days as dates. A date whose
/// order of day and month is left to the reader's own country reads as 2026-11-30.
/// </summary>
internal sealed class NumberFormats
{
    private const int MostStyles = 100_000;

    private const string Day = "yyyy-mm-dd";

    /// <summary>A format of so many characters is the longest that Excel takes.</summary>
    private const int LongestFormat = 255;

    /// <summary>The day behind the last one, 31 December 9999.</summary>
    private const double EndOfDays = 2958466;

    private readonly List<string?> styles = [];
    private readonly Dictionary<string, NumberFormat> parsed = [];
    private readonly bool uses1904Dates;

    /// <param name="xml">The workbook's styles; null when it has none.</param>
    public NumberFormats(XmlReader? xml, bool uses1904Dates)
    {
        this.uses1904Dates = uses1904Dates;
        using (xml)
            Read(xml);
    }

    /// <summary>The format of a cell's style; null for none of its own.</summary>
    public string? Of(int style) => style >= 0 && style < styles.Count ? styles[style] : null;

    /// <param name="number">As the sheet has it.</param>
    /// <param name="format">Null for none of its own.</param>
    public string Shown(string number, string? format)
    {
        if (!double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value))
            return number;
        // A whole number that is written out is a key, of which every digit counts.
        if (format is null)
            return number is ['0', _, ..] || number.AsSpan().ContainsAnyExceptInRange('0', '9') ? General(value) : number;
        if (!parsed.TryGetValue(format, out var known))
            parsed[format] = known = new NumberFormat(format);
        var isTime = known.IsDateTimeFormat || known.IsTimeSpanFormat;
        if (!known.IsValid || (isTime && value is < 0 or >= EndOfDays))
            return General(value);
        try
        {
            // Excel keeps room for a bracket or a sign, which is no part of the value.
            return known.Format(isTime ? value : Round(value), CultureInfo.InvariantCulture, uses1904Dates).Trim();
        }
        catch (Exception odd) when (odd is ArgumentException or InvalidOperationException or OverflowException or IndexOutOfRangeException)
        {
            // A format that means nothing for this number: the number itself is what there is to see.
            return General(value);
        }
    }

    /// <summary>Fifteen digits, as Excel counts; and all of them, since a key of twelve digits is no 1.2E+11.</summary>
    private static string General(double value) => Math.Abs(value) is < 1e28 and >= 1e-9 or 0
        ? ((decimal)Round(value)).ToString("0.####################", CultureInfo.InvariantCulture)
        : value.ToString("G15", CultureInfo.InvariantCulture);

    private static double Round(double value) =>
        double.Parse(value.ToString("G15", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private void Read(XmlReader? xml)
    {
        var own = new Dictionary<int, string>();
        var inCells = false;
        while (xml is not null && GuardedXml.Next(xml))
        {
            if (xml.LocalName == "cellXfs")
                inCells = xml.NodeType == XmlNodeType.Element && !xml.IsEmptyElement;
            if (xml.NodeType != XmlNodeType.Element)
                continue;
            if (xml.LocalName == "numFmt" && Number(xml, "numFmtId") is { } id && xml.GetAttribute("formatCode") is { } code
                && code.Length <= LongestFormat && own.Count < MostStyles)
                own[id] = code;
            if (xml.LocalName != "xf" || !inCells)
                continue;
            if (styles.Count == MostStyles)
                throw Workbook.TooLarge($"It has more than {MostStyles:N0} formats of cells.");
            var format = Number(xml, "numFmtId") ?? 0;
            var text = own.GetValueOrDefault(format) ?? BuiltIn(format);
            styles.Add(text is "General" or "@" ? null : text);
        }
    }

    private static int? Number(XmlReader xml, string name) =>
        int.TryParse(xml.GetAttribute(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>The formats that every workbook has without saying so (ECMA-376, 18.8.30).</summary>
    private static string? BuiltIn(int id) => id switch
    {
        1 => "0",
        2 => "0.00",
        3 => "#,##0",
        4 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        11 => "0.00E+00",
        12 => "# ?/?",
        13 => "# ??/??",
        14 or (>= 27 and <= 31) or 36 or (>= 50 and <= 54) or 57 or 58 => Day,
        15 => "d-mmm-yy",
        16 => "d-mmm",
        17 => "mmm-yy",
        18 => "h:mm AM/PM",
        19 => "h:mm:ss AM/PM",
        20 or 32 or 34 or 55 => "h:mm",
        21 or 33 or 35 or 56 => "h:mm:ss",
        22 => $"{Day} h:mm",
        37 or 38 => "#,##0;(#,##0)",
        39 or 40 => "#,##0.00;(#,##0.00)",
        45 => "mm:ss",
        46 => "[h]:mm:ss",
        47 => "mm:ss.0",
        48 => "##0.0E+0",
        _ => null,
    };
}
