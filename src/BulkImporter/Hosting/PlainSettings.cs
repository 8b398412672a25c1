using System.ComponentModel;
using System.Globalization;
using System.Numerics;
using BulkImporter.Data;

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

    private sealed class WholeConverter<T> : TypeConverter where T : IBinaryInteger<T>
    {
        public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

        public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
            PlainNumber.TryWhole<T>(value as string, out var number)
                ? number : throw new FormatException(PlainNumber.WholeComplaint((string)value));
    }

    private sealed class DecimalConverter : TypeConverter
    {
        public override bool CanConvertFrom(ITypeDescriptorContext? context, Type sourceType) => sourceType == typeof(string);

        public override object? ConvertFrom(ITypeDescriptorContext? context, CultureInfo? culture, object value) =>
            PlainNumber.TryDecimal(value as string, out var number)
                ? number : throw new FormatException(PlainNumber.DecimalComplaint((string)value));
    }
}
