using System.Numerics;
using System.Text.RegularExpressions;

namespace BulkImporter.Data;

/// <summary>
/// The one way in which text becomes a number, wherever a person or a program writes one: digits 0 to 9, a dash before them if it is below
/// zero, and a point before decimals. Anything else may mean two numbers (2,5 and 1.000 do, from country to country) and is refused.
/// </summary>
public static partial class PlainNumber
{
    private const int MostShown = 40;

    public static bool TryWhole<T>(string? text, out T number) where T : IBinaryInteger<T>
    {
        number = T.Zero;
        return text is not null && WholeForm().IsMatch(text)
            && T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number!);
    }

    public static bool TryDecimal(string? text, out double number)
    {
        number = 0;
        return text is not null && DecimalForm().IsMatch(text)
            && double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                out number) && double.IsFinite(number);
    }

    /// <exception cref="InvalidArgumentException">The text is not plainly one whole number, or one that the type does not hold.</exception>
    public static T Whole<T>(string argument, string text) where T : IBinaryInteger<T> =>
        TryWhole<T>(text, out var number) ? number : throw new InvalidArgumentException(argument, WholeComplaint(text));

    /// <exception cref="InvalidArgumentException">The text is not plainly one number.</exception>
    public static double Number(string argument, string text) =>
        TryDecimal(text, out var number) ? number : throw new InvalidArgumentException(argument, DecimalComplaint(text));

    /// <summary>What is wrong with a text that <see cref="TryWhole"/> refused, and how to write it.</summary>
    public static string WholeComplaint(string text) => WholeForm().IsMatch(text)
        ? $"'{Shown(text)}' is too large a number."
        : $"'{Shown(text)}' is not a whole number. Write only the digits 0 to 9, as in 25.";

    /// <summary>What is wrong with a text that <see cref="TryDecimal"/> refused, and how to write it.</summary>
    public static string DecimalComplaint(string text) => CommaForm().IsMatch(text)
        ? $"'{Shown(text)}' is not a valid number. Write {Shown(text.Replace(',', '.'))}, with a decimal point."
        : $"'{Shown(text)}' is not a valid number. Write only the digits 0 to 9 and a decimal point, as in 2.5.";

    private static string Shown(string text) =>
        string.Concat(text.Take(MostShown).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length > MostShown ? "…" : "");

    [GeneratedRegex(@"\A-?[0-9]+\z")]
    private static partial Regex WholeForm();

    [GeneratedRegex(@"\A-?[0-9]+(\.[0-9]+)?\z")]
    private static partial Regex DecimalForm();

    // Three digits behind one comma are thousands as often as decimals: no advice is better than a wrong one.
    [GeneratedRegex(@"\A-?[0-9]+,([0-9]{1,2}|[0-9]{4,})\z")]
    private static partial Regex CommaForm();
}
