using BulkImporter.Data;

namespace BulkImporter.Tests.Data;

public sealed class CopyRowsTests(EngineDatabase database) : IClassFixture<EngineDatabase>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_sent_is_what_the_table_then_holds()
    {
        await database.SqlAsync(
            "CREATE TABLE public.copied (a smallint, b int, c bigint, d boolean, e uuid, f timestamptz, g bytea, h text)");
        var copy = new CopyRows("public.copied", "a", "b", "c", "d", "e", "f", "g", "h");
        var key = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        copy.StartRow();
        copy.Write(short.MinValue);
        copy.Write(int.MaxValue);
        copy.Write(long.MinValue);
        copy.Write(true);
        copy.Write(key);
        copy.Write(new DateTimeOffset(2026, 11, 26, 1, 2, 3, TimeSpan.FromHours(2)).AddMicroseconds(4));
        copy.Write([0, 1, 255]);
        copy.Write("ä, \"€\" and 🎞");
        copy.StartRow();
        copy.Write((short)0);
        copy.Write(-1);
        copy.Write(0L);
        copy.Write(false);
        copy.Write(Guid.Empty);
        copy.Write(DateTimeOffset.UnixEpoch);
        copy.Write(ReadOnlySpan<byte>.Empty);
        copy.Write("");
        copy.StartRow();
        for (var column = 0; column < 7; column++) copy.WriteNull();
        copy.Write((string?)null);
        await SendAsync(copy);

        Assert.Equal(
            [
                "-32768|2147483647|-9223372036854775808|t|00112233-4455-6677-8899-aabbccddeeff|2026-11-25T23:02:03.000004|\\x0001ff|ä, "
                    + "\"€\" and 🎞",
                "0|-1|0|f|00000000-0000-0000-0000-000000000000|1970-01-01T00:00:00.000000|\\x|",
                "-|-|-|-|-|-|-|-",
            ],
            await database.Source.QueryAsync("""
                SELECT concat_ws('|', coalesce(a::text, '-'), coalesce(b::text, '-'), coalesce(c::text, '-'),
                    coalesce(left(d::text, 1), '-'), coalesce(e::text, '-'),
                    coalesce(to_char(f AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '-'), coalesce(g::text, '-'), coalesce(h, '-'))
                        FROM public.copied
                """, r => r.GetString(0), Token));
    }

    [Fact]
    public async Task It_grows_with_its_rows_and_begins_anew_when_they_are_sent()
    {
        await database.SqlAsync("CREATE TABLE public.grown (n int, text text)");
        var copy = new CopyRows("public.grown", "n", "text");
        await SendAsync(copy);
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(0, copy.Length);
            foreach (var n in Enumerable.Range(1, 400))
            {
                copy.StartRow();
                copy.Write(round * 400 + n);
                copy.Write(new string('é', n * n / 4));
            }
            Assert.InRange(copy.Length, 2 * Enumerable.Range(1, 400).Sum(n => n * n / 4), int.MaxValue);
            await SendAsync(copy);
        }
        Assert.True(
            await database.OneAsync<bool>(
                "SELECT count(*) = 1200 AND bool_and(text = repeat('é', m * m / 4)) FROM (SELECT text, (n - 1) % 400 + 1 AS m FROM "
                    + "public.grown) g"));
    }

    [Fact]
    public async Task A_value_that_its_column_does_not_take_is_refused_by_the_server()
    {
        await database.SqlAsync("CREATE TABLE public.strict (n int)");
        var copy = new CopyRows("public.strict", "n");
        copy.StartRow();
        copy.Write(1L);
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => SendAsync(copy));
        Assert.Equal("22P03", refused.SqlState);
        Assert.Equal(0L, await database.OneAsync<long>("SELECT count(*) FROM public.strict"));
    }

    private async Task SendAsync(CopyRows rows)
    {
        await using var connection = await database.Source.OpenConnectionAsync(Token);
        await rows.SendAsync(connection, Token);
    }
}
