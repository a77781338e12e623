using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>
/// 64 bits that differ when two texts differ, up to chance: tells a changed entry from an unchanged one without keeping its text. Not for
/// anything an adversary gains from; a node can only fool us about its own entries, which it may write as it likes anyway.
/// </summary>
internal static class TextFingerprint
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;

    public static ulong Of(string text)
    {
        var bytes = MemoryMarshal.AsBytes(text.AsSpan());
        ulong a = Prime1, b = Prime2, c = Prime1 ^ Prime2, d = (ulong)bytes.Length;
        ref var at = ref MemoryMarshal.GetReference(bytes);
        var left = bytes.Length;
        // Four independent lanes keep the multipliers busy: the texts of one report are some hundred KB.
        while (left >= 32)
        {
            a = BitOperations.RotateLeft(a ^ (Unsafe.ReadUnaligned<ulong>(ref at) * Prime2), 31) * Prime1;
            b = BitOperations.RotateLeft(b ^ (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 8)) * Prime2), 31) * Prime1;
            c = BitOperations.RotateLeft(c ^ (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 16)) * Prime2), 31) * Prime1;
            d = BitOperations.RotateLeft(d ^ (Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, 24)) * Prime2), 31) * Prime1;
            at = ref Unsafe.Add(ref at, 32);
            left -= 32;
        }

        for (; left >= 2; left -= 2, at = ref Unsafe.Add(ref at, 2))
        {
            a = BitOperations.RotateLeft(a ^ (Unsafe.ReadUnaligned<ushort>(ref at) * Prime2), 31) * Prime1;
        }

        var hash = BitOperations.RotateLeft(a, 1) + BitOperations.RotateLeft(b, 7) + BitOperations.RotateLeft(c, 12) + BitOperations.RotateLeft(d, 18);
        hash = (hash ^ (hash >> 33)) * Prime2;
        return hash ^ (hash >> 29);
    }
}
