using System.Security.Cryptography;
using System.Text;

namespace Ome.Shared.Domain.Models;

/// <summary>Shortens names the way OME does, so that labels and keys of both implementations meet (contract 2.2).</summary>
public static class HashedName
{
    private const int HashLength = 8;

    /// <summary>
    /// <paramref name="text"/> if it fits, else eight hex digits of its SHA-256, a dash and its tail. Nothing repairs a tail that begins with
    /// a dash or a dot: the wire has it so.
    /// </summary>
    /// <param name="text">ASCII text.</param>
    /// <param name="max">Longest result in characters; at 9 or less only (part of) the hash remains.</param>
    public static string Truncate(string text, int max)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(max);
        if (text.Length <= max) return text;
        var hash = Hash(text);
        if (max <= HashLength + 1) return hash[..Math.Min(max, HashLength)];
        return string.Concat(hash, "-", text.AsSpan(text.Length - (max - HashLength - 1)));
    }

    /// <summary>As <see cref="Truncate"/>, but the result is always a legal object name and label value: for names only we use.</summary>
    public static string Fit(string text, int max)
    {
        if (text.Length <= max) return text;
        var hash = Hash(text);
        var tail = text.AsSpan(text.Length - (max - HashLength - 1)).TrimStart(['-', '.', '_']);
        return tail.IsEmpty ? hash : string.Concat(hash, "-", tail);
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, HashLength / 2));
}
