using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace BulkImporter.Data;

/// <summary>
/// Makes a <typeparamref name="T"/> of each row that a statement returns, by name: the column <c>row_number</c> becomes the constructor's
/// argument <c>RowNumber</c>, or what a base record has of that name. A statement with one column may also be read as that value. Enums are
/// read as their <see cref="EnumText{T}"/>.
/// </summary>
internal static class Row<T>
{
    private static readonly ParameterInfo[]? Arguments = IsValue(typeof(T))
        ? null : typeof(T).GetConstructors().MaxBy(c => c.GetParameters().Length)!.GetParameters();
    private static readonly PropertyInfo[] Inherited =
        [.. typeof(T).GetProperties().Where(p => Arguments is not null && p.DeclaringType != typeof(T) && p.CanWrite)];
    private static readonly Func<NpgsqlDataReader, int[], T> Make = Compile();

    public static async Task<List<T>> ReadAllAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await foreach (var row in StreamAsync(reader, cancellationToken)) rows.Add(row);
        return rows;
    }

    /// <summary>The rows of the result that the reader has come to.</summary>
    public static async IAsyncEnumerable<T> StreamAsync(
        NpgsqlDataReader reader, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var places = Places(reader);
        while (await reader.ReadAsync(cancellationToken)) yield return Make(reader, places);
    }

    /// <summary>Where each argument, and each inherited member, stands in the row.</summary>
    private static int[] Places(NpgsqlDataReader reader)
    {
        if (Arguments is null) return [0];
        var columns = Enumerable.Range(0, reader.FieldCount)
            .Select(n => reader.GetName(n).Replace("_", "", StringComparison.Ordinal)).ToList();
        return [.. Arguments.Select(a => a.Name).Concat(Inherited.Select(p => p.Name)).Select(name =>
            columns.FindIndex(c => c.Equals(name, StringComparison.OrdinalIgnoreCase)) is >= 0 and var place
            ? place
            : throw new InvalidOperationException($"The statement has no column for {typeof(T).Name}.{name}."))];
    }

    private static Func<NpgsqlDataReader, int[], T> Compile()
    {
        var (reader, places) = (Expression.Parameter(typeof(NpgsqlDataReader)), Expression.Parameter(typeof(int[])));
        var nullability = new NullabilityInfoContext();
        Expression row = Arguments is null
            ? Value(typeof(T), mayBeNull: Nullable.GetUnderlyingType(typeof(T)) is not null, 0)
            : Expression.MemberInit(
                Expression.New((ConstructorInfo)Arguments[0].Member,
                    Arguments.Select((a, n) => Value(a.ParameterType, nullability.Create(a).WriteState == NullabilityState.Nullable, n))),
                Inherited.Select((p, n) => Expression.Bind(p,
                    Value(p.PropertyType, nullability.Create(p).WriteState == NullabilityState.Nullable, Arguments.Length + n))));
        return Expression.Lambda<Func<NpgsqlDataReader, int[], T>>(row, reader, places).Compile();

        Expression Value(Type type, bool mayBeNull, int n)
        {
            var place = Expression.ArrayIndex(places, Expression.Constant(n));
            var plain = Nullable.GetUnderlyingType(type) ?? type;
            Expression value = plain.IsEnum
                ? Expression.Call(typeof(EnumText<>).MakeGenericType(plain), nameof(EnumText<DayOfWeek>.Parse), null, Get(typeof(string)))
                : Wrapped(plain) is { } wrap ? Expression.New(wrap, Get(typeof(string)))
                : Get(plain);
            if (plain != type) value = Expression.Convert(value, type);
            return mayBeNull
                ? Expression.Condition(Expression.Call(reader, nameof(NpgsqlDataReader.IsDBNull), null, place),
                    Expression.Default(type), value) : value;

            Expression Get(Type read) => Expression.Call(reader, nameof(NpgsqlDataReader.GetFieldValue), [read], place);
        }
    }

    private static bool IsValue(Type type) => (Nullable.GetUnderlyingType(type) ?? type) is var plain
        && (plain.IsPrimitive || plain.IsEnum || plain.IsArray || plain == typeof(string)
            || plain is { Namespace: nameof(System), IsValueType: true, IsGenericType: false } || Wrapped(plain) is not null);

    /// <summary>The constructor of a type that is a text with a name of its own, as a <c>StatusId</c> is.</summary>
    private static ConstructorInfo? Wrapped(Type type) =>
        type.GetProperty("Value")?.PropertyType == typeof(string) ? type.GetConstructor([typeof(string)]) : null;
}
