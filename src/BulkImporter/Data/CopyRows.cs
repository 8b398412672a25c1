using System.Buffers.Binary;

namespace BulkImporter.Data;

/// <summary>
/// Rows for one COPY, laid out in memory in PostgreSQL's binary format and then sent at once. So rows can be made while the connection is
/// still busy with others, and a value costs a few nanoseconds; Npgsql's own writer takes as long for the values of a row as all checks of
/// it.
/// </summary>
/// <remarks>
/// The order and the types of the values are those of the columns: the server refuses a value whose length does not fit, but cannot tell
/// two integers apart.
/// </remarks>
internal sealed class CopyRows(string table, params string[] columns)
{
    // "PGCOPY" and what shows a damaged transfer; then no flags and no extension.
    private static ReadOnlySpan<byte> Header =>
        [(byte)'P', (byte)'G', (byte)'C', (byte)'O', (byte)'P', (byte)'Y', (byte)'\n', 0xFF, (byte)'\r', (byte)'\n', 0, 0, 0,
            0, 0, 0, 0, 0, 0];

    private const short EndOfRows = -1;
    private const int Null = -1;

    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string sql = $"COPY {table} ({string.Join(", ", columns)}) FROM STDIN (FORMAT binary)";
    private byte[] bytes = new byte[4 * 1024];
    private int length;

    /// <summary>Bytes of the rows so far, 0 when there are none.</summary>
    public int Length => length;

    public void StartRow()
    {
        if (length == 0) Header.CopyTo(Take(Header.Length));
        BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), (short)columns.Length);
    }

    public void WriteNull() => BinaryPrimitives.WriteInt32BigEndian(Take(sizeof(int)), Null);

    public void Write(short value) => BinaryPrimitives.WriteInt16BigEndian(Value(sizeof(short)), value);

    public void Write(int value) => BinaryPrimitives.WriteInt32BigEndian(Value(sizeof(int)), value);

    public void Write(long value) => BinaryPrimitives.WriteInt64BigEndian(Value(sizeof(long)), value);

    public void Write(double value) => BinaryPrimitives.WriteDoubleBigEndian(Value(sizeof(double)), value);

    public void Write(bool value) => Value(1)[0] = value ? (byte)1 : (byte)0;

    public void Write(Guid value) => value.TryWriteBytes(Value(16), bigEndian: true, out _);

    public void Write(DateTimeOffset value) => Write((value - Epoch).Ticks / TimeSpan.TicksPerMicrosecond);

    public void Write(ReadOnlySpan<byte> value) => value.CopyTo(Value(value.Length));

    public void Write(string? text)
    {
        if (text is null)
        {
            WriteNull();
            return;
        }
        var start = length;
        var written = Encoding.UTF8.GetBytes(text, Value(Encoding.UTF8.GetMaxByteCount(text.Length)));
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(start), written);
        length = start + sizeof(int) + written;
    }

    /// <summary>Sends what there is, if there is any, and begins anew.</summary>
    /// <remarks>
    /// When it fails half-way the server may have taken the first of the rows: whoever calls it does so in a transaction that then ends.
    /// </remarks>
    public async Task SendAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (length == 0) return;
        BinaryPrimitives.WriteInt16BigEndian(Take(sizeof(short)), EndOfRows);
        await using (var copy = await connection.BeginRawBinaryCopyAsync(sql, cancellationToken))
        {
            await copy.WriteAsync(bytes.AsMemory(0, length), cancellationToken);
        }
        length = 0;
    }

    /// <summary>Room for a value behind its length.</summary>
    private Span<byte> Value(int size)
    {
        var room = Take(sizeof(int) + size);
        BinaryPrimitives.WriteInt32BigEndian(room, size);
        return room[sizeof(int)..];
    }

    private Span<byte> Take(int size)
    {
        if (bytes.Length - length < size) Array.Resize(ref bytes, Math.Max(length + size, 2 * bytes.Length));
        var room = bytes.AsSpan(length, size);
        length += size;
        return room;
    }
}
