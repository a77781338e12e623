using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;

namespace Ome.Shared.Domain.Objects;

/// <summary>Whether a local file is the object (contract 5.1). A closed set; "could not be proven" is not "wrong".</summary>
public abstract record ObjectValidity
{
    private ObjectValidity()
    {
    }

    /// <summary>The bytes are those the store published a digest of.</summary>
    /// <param name="Proof">The digest they matched; a composite names the part size that was found. Worth keeping for later checks.</param>
    public sealed record Proven(ContentDigest Proof) : ObjectValidity;

    /// <summary>The size is right and nothing contradicts; content is not proven.</summary>
    /// <param name="Why">For people.</param>
    public sealed record BySize(string Why) : ObjectValidity;

    /// <summary>No file, or none that can be read as one.</summary>
    public sealed record Missing : ObjectValidity;

    /// <summary>Another size than the object's.</summary>
    public sealed record SizeDiffers(long Expected, long Actual) : ObjectValidity;

    /// <summary>Other bytes.</summary>
    public sealed record DigestDiffers(ContentDigest Expected, ContentDigest Actual) : ObjectValidity;

    /// <summary>True when the file need not be fetched again.</summary>
    public bool IsValid => this is Proven or BySize;
}

/// <summary>The rules of contract 5.1, without I/O: what to compute, and what the outcome means.</summary>
public static class ObjectValidityRules
{
    /// <summary>Digests to compute over the local file before <see cref="Judge"/>; empty when the size already decides or nothing is published.</summary>
    public static ImmutableArray<ContentDigest> Needed(ObjectExpectation expectation, long? expectedSize, long? actualSize)
    {
        if (actualSize is not { } size || (expectedSize is { } wanted && wanted != size)) return [];
        return expectation switch
        {
            ObjectExpectation.Whole whole => [whole.Md5],
            ObjectExpectation.Multipart multipart => PartSizes.Alternatives(multipart, size),
            _ => [],
        };
    }

    /// <summary>Judges a file.</summary>
    /// <param name="expectation">What the store publishes.</param>
    /// <param name="expectedSize">Content-Length; null when the store gave none.</param>
    /// <param name="actualSize">Size of the file; null when there is none.</param>
    /// <param name="actual">For each of <see cref="Needed"/>, what the file's bytes give instead.</param>
    public static ObjectValidity Judge(ObjectExpectation expectation, long? expectedSize, long? actualSize, IReadOnlyList<ContentDigest> actual)
    {
        if (actualSize is not { } size) return new ObjectValidity.Missing();
        if (expectedSize is { } wanted && wanted != size) return new ObjectValidity.SizeDiffers(wanted, size);
        switch (expectation)
        {
            case ObjectExpectation.Whole whole:
                return actual[0] == whole.Md5 ? new ObjectValidity.Proven(whole.Md5) : new ObjectValidity.DigestDiffers(whole.Md5, actual[0]);
            case ObjectExpectation.Multipart multipart:
                foreach (var alternative in PartSizes.Alternatives(multipart, size))
                {
                    if (actual.Contains(alternative)) return new ObjectValidity.Proven(alternative);
                }

                return new ObjectValidity.BySize($"no usual part size gives the MD5 of its {multipart.Parts} parts");
            default:
                return new ObjectValidity.BySize(((ObjectExpectation.SizeOnly)expectation).Why);
        }
    }
}
