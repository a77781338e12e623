using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>
/// 64 bits that differ when two texts differ, up to chance: tells a changed entry from an unchanged one without keeping its text. Not for
/// anything an adversary gains from; a node can only fool us about its own entries, which it may write as it likes anyway.
/// </summary>
internal static class TextFingerprint
{
    private const ulong Secret1 = 0xA0761D6478BD642F;
    private const ulong Secret2 = 0xE7037ED1A0B428DB;
    private const ulong Secret3 = 0x8EBC6AF09C88C6E3;
    private const ulong Secret4 = 0x589965CC75374CC3;

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        ref var at = ref MemoryMarshal.GetReference(bytes);
        var left = bytes.Length;
        ulong a = Secret1, b = Secret2, c = Secret3, d = Secret4;
        // Four independent multiplications of 16 bytes each: the texts of one report are some hundred KB, and most of them are unchanged.
        while (left >= 64)
        {
            a = Mix(Read(ref at, 0) ^ Secret1, Read(ref at, 8) ^ a);
            b = Mix(Read(ref at, 16) ^ Secret2, Read(ref at, 24) ^ b);
            c = Mix(Read(ref at, 32) ^ Secret3, Read(ref at, 40) ^ c);
            d = Mix(Read(ref at, 48) ^ Secret4, Read(ref at, 56) ^ d);
            at = ref Unsafe.Add(ref at, 64);
            left -= 64;
        }

        for (; left >= 8; left -= 8, at = ref Unsafe.Add(ref at, 8)) a = Mix(Read(ref at, 0) ^ Secret2, a ^ Secret3);
        for (; left >= 1; left--, at = ref Unsafe.Add(ref at, 1)) b = Mix(at ^ Secret3, b ^ Secret4);
        return Mix(Mix(a ^ Secret4, b ^ Secret1) ^ (ulong)bytes.Length, Mix(c ^ Secret2, d ^ Secret3) ^ Secret1);
    }

    private static ulong Read(ref byte at, int offset) => Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref at, offset));

    private static ulong Mix(ulong one, ulong other)
    {
        var high = Math.BigMul(one, other, out var low);
        return high ^ low;
    }
}
