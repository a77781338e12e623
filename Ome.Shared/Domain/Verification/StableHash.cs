namespace Ome.Shared.Domain.Verification;

/// <summary>A hash that is the same in every process and release (unlike <c>GetHashCode</c>): FNV-1a with a final mix. Not for security.</summary>
public static class StableHash
{
    public static ulong Of(ReadOnlySpan<char> text, ulong seed = 0)
    {
        var hash = 14695981039346656037UL ^ Mix(seed);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            foreach (var value in bytes[..rune.EncodeToUtf8(bytes)]) hash = (hash ^ value) * 1099511628211UL;
        }

        return Mix(hash);
    }

    public static ulong Of(ulong value, ulong seed) => Mix(value + Mix(seed + 0x9e3779b97f4a7c15UL));

    /// <summary>The hash as a share in [0, 1).</summary>
    public static double Share(ulong hash) => (hash >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9UL;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebUL;
        return value ^ (value >> 31);
    }
}
