using System.IO.Hashing;
using System.Runtime.InteropServices;
using BulkImporter.Sources;

namespace BulkImporter.Parse;

/// <summary>
/// Whether a manifest may hold a value twice, in fixed memory: a Bloom filter. "No" is certain, and is the answer for most manifests; so
/// the database is only asked to look for duplicates when there may be some. At a million different values it says "maybe" in vain once
/// in about twenty-five manifests, and from two million on it always does.
/// </summary>
internal sealed class SeenBefore
{
    private const int BitsPerWord = 64;
    // 4 MB. Twelve positions for each value are the best use of them at a million values.
    private const int PositionBits = 25;
    private const int Positions = 12;

    private readonly ulong[] words = new ulong[(1 << PositionBits) / BitsPerWord];

    /// <summary>True when one of the values may have been added more than once.</summary>
    public bool Maybe { get; private set; }

    public void Add(SourceKey key)
    {
        Span<byte> bytes = stackalloc byte[16];
        key.WriteTo(bytes);
        Maybe |= Look(MemoryMarshal.Read<UInt128>(bytes), add: true);
    }

    public void Add(string value) =>
        Maybe |= Look(XxHash128.HashToUInt128(MemoryMarshal.AsBytes(value.AsSpan())), add: true);

    /// <summary>False when this key, as <see cref="SourceKey.WriteTo"/> writes it, was certainly not added.</summary>
    public bool MayHold(ReadOnlySpan<byte> key) => Look(MemoryMarshal.Read<UInt128>(key), add: false);

    /// <summary>The hash is as good as random: one half is the first position, the other the way from each to the next.</summary>
    private bool Look(UInt128 hash, bool add)
    {
        var known = true;
        var (next, step) = ((ulong)hash, (ulong)(hash >> 64) | 1);
        for (var i = 0; i < Positions; i++, next += step)
        {
            var position = (int)(next >> (64 - PositionBits));
            ref var word = ref words[position / BitsPerWord];
            var bit = 1UL << (position % BitsPerWord);
            known &= (word & bit) != 0;
            if (add) word |= bit;
            else if (!known) return false;
        }
        return known;
    }
}
