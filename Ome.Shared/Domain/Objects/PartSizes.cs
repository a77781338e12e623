using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Objects;

/// <summary>Sizes the parts of a multipart upload can have had, told from the object's size and the number of parts (W18).</summary>
/// <remarks>All parts but the last are equal in every uploader we know, and their size is a round number. Another size stays unproven, not wrong.</remarks>
public static class PartSizes
{
    /// <summary>Most sizes tried: each costs an MD5 pass over the bytes.</summary>
    public const int MaxCandidates = 8;

    private const long MiB = 1024 * 1024;
    private const long MB = 1_000_000;

    // What uploaders take by default, the most used first: OCI CLI and SDKs 128, 10, 20 MiB; AWS CLI 8, boto 5; rclone 5; s5cmd 50; Go SDK 128.
    private static readonly long[] UsualMiB = [128, 8, 10, 20, 64, 5, 16, 32, 100, 256, 50, 25, 200, 512, 1024, 15, 40, 48, 96, 2048, 4096, 5120];

    /// <summary>Possible sizes, the likeliest first, at most <see cref="MaxCandidates"/>; empty when size and number of parts contradict each other.</summary>
    /// <param name="size">Of the object in bytes.</param>
    /// <param name="parts">At least 1.</param>
    public static ImmutableArray<long> Candidates(long size, int parts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfLessThan(parts, 1);
        if (parts == 1) return [Math.Max(size, 1)];
        if (size < parts) return [];
        // parts - 1 full parts and a rest between 1 byte and a full part.
        var least = (size + parts - 1) / parts;
        var most = (size - 1) / (parts - 1);
        var usual = UsualMiB.Select(count => count * MiB).Where(candidate => candidate >= least && candidate <= most).ToImmutableArray();
        // Round sizes nobody takes by default are worth their passes only when no default fits.
        if (!usual.IsEmpty) return [.. usual.Take(MaxCandidates)];
        var equal = size % parts == 0 ? new[] { size / parts } : [];
        return [.. Multiples(MiB, least, most).Concat(Multiples(MB, least, most)).Concat(equal).Distinct().Take(MaxCandidates)];
    }

    /// <summary>The composite digests an expectation may mean for an object of this size, one per candidate.</summary>
    public static ImmutableArray<ContentDigest> Alternatives(ObjectExpectation.Multipart expectation, long size) =>
        [.. Candidates(size, expectation.Parts).Select(part => ContentDigest.OfComposite(Convert.FromHexString(expectation.Value), expectation.Parts, part))];

    private static IEnumerable<long> Multiples(long unit, long least, long most)
    {
        for (var (count, at) = (0, (least + unit - 1) / unit * unit); count < MaxCandidates && at <= most; count++, at += unit) yield return at;
    }
}
