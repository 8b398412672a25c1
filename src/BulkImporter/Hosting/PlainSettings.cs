using System.ComponentModel;
using System.Numerics;

namespace BulkImporter.Hosting;

/// <summary>
/// Numbers of settings are read like all others. The configuration asks the type's converter, and the framework's own takes 0x10, 1e5 and
/// NaN.
/// </summary>
internal static class PlainSettings
{
    private static readonly Lazy<bool> Done = new(() =>
    {
        TypeDescriptor.AddAttributes(typeof(int), new TypeConverterAttribute(typeof(WholeConverter<int>)));
        TypeDescriptor.AddAttributes(typeof(long), new TypeConverterAttribute(typeof(WholeConverter<long>)));
        TypeDescriptor.AddAttributes(typeof(double), new TypeConverterAttribute(typeof(DecimalConverter)));
        return true;
    });

    /// <summary>For this process, before a setting is read.</summary>
    public static void Use() => _ = Done.Value;

    private abstract class PlainConverter(Func<string, object> read) : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

        public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) => read((string)value);
    }

    private sealed class WholeConverter<T>() : PlainConverter(text => PlainNumber.TryWhole<T>(text, out var number)
        ? number : throw new FormatException(PlainNumber.WholeComplaint(text))) where T : IBinaryInteger<T>;

    private sealed class DecimalConverter() : PlainConverter(text => PlainNumber.TryDecimal(text, out var number)
        ? number : throw new FormatException(PlainNumber.DecimalComplaint(text)));
}
