using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Shared.Domain.Repair;

/// <summary>One file to be made whole.</summary>
/// <param name="Entry">What it must be.</param>
/// <param name="BadChunks">Chunks known to be bad, whatever a read through the page cache may say; empty when nothing is known.</param>
public sealed record FileRepair(ManifestEntry Entry, ImmutableSortedSet<int> BadChunks);

/// <summary>What to do about proved damage (design 7): repair few files, restage a model that is damaged all over, or leave it to people.</summary>
public abstract record RepairPlan
{
    /// <summary>More damaged files than this are a damaged model.</summary>
    public const int MostFiles = 5;

    /// <summary>A larger share of damaged bytes than this is a damaged model.</summary>
    public const double MostBytes = 0.2;

    private RepairPlan()
    {
    }

    /// <summary>These files, each by itself.</summary>
    public sealed record Files(ImmutableArray<FileRepair> Repairs) : RepairPlan;

    /// <summary>The whole model is staged again; these files are fetched whatever lies there.</summary>
    public sealed record Restage(string Why, ImmutableHashSet<ArtifactPath> Damaged) : RepairPlan;

    /// <summary>Nobody can be asked for good bytes.</summary>
    public sealed record Impossible(string Why) : RepairPlan;

    /// <summary>Decides. Pure.</summary>
    public static RepairPlan Of(StorageUri uri, ArtifactManifest manifest, IEnumerable<FileFinding> findings)
    {
        if (uri is not (StorageUri.HuggingFace or StorageUri.Oci or StorageUri.S3)) return new Impossible($"{uri.Scheme} has no source to fetch good bytes from");
        var entries = manifest.Entries.ToDictionary(entry => entry.Path);
        var damage = findings.Where(finding => finding.Reason.IsDamage()).ToList();
        if (damage.Count == 0) return new Impossible("no damage was proved");
        var damaged = damage.Select(finding => finding.Path).OfType<ArtifactPath>().ToImmutableHashSet();
        if (damage.Exists(finding => finding.Path is not { } path || !entries.ContainsKey(path))) return new Restage("a finding is about no file of the manifest", damaged);

        var repairs = damage.GroupBy(finding => finding.Path!.Value).Select(file => RepairOf(entries[file.Key], file)).OrderBy(repair => repair.Entry.Path).ToImmutableArray();
        if (repairs.Any(repair => repair.Entry is not { Sha256: not null, LinkTarget: null })) return new Restage("a damaged file has no digest of its own", damaged);
        if (repairs.Length > MostFiles) return new Restage($"{repairs.Length} files are damaged, more than {MostFiles}", damaged);
        var bytes = repairs.Sum(BytesOf);
        return bytes > MostBytes * manifest.TotalBytes
            ? new Restage($"{bytes} of {manifest.TotalBytes} bytes are damaged, more than {MostBytes:P0}", damaged)
            : new Files(repairs);
    }

    private static FileRepair RepairOf(ManifestEntry entry, IEnumerable<FileFinding> findings)
    {
        var chunks = findings.Where(finding => finding.Reason == FindingReason.DigestMismatch && finding.Offset is >= 0 && finding.Offset < entry.Size)
            .Select(finding => (int)(finding.Offset!.Value / ArtifactManifest.ChunkSize));
        return new FileRepair(entry, [.. chunks]);
    }

    private static long BytesOf(FileRepair repair) => repair.BadChunks.IsEmpty
        ? repair.Entry.Size
        : repair.BadChunks.Sum(chunk => Math.Min(ArtifactManifest.ChunkSize, repair.Entry.Size - (chunk * ArtifactManifest.ChunkSize)));
}

/// <summary>When to try again after a repair that failed: 1 min, 2 min, 4 min … 1 h (design 7).</summary>
public static class RepairBackoff
{
    /// <summary>Pause after so many failures in a row.</summary>
    public static TimeSpan After(int failures) => TimeSpan.FromMinutes(Math.Min(60, 1L << Math.Clamp(failures - 1, 0, 6)));
}
