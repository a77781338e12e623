using System.Collections.Immutable;
using Ome.Agent.Verification.Reading;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Verification;

/// <summary>What to take a manifest of.</summary>
/// <param name="Root">Absolute directory.</param>
/// <param name="Boundary">As in <see cref="CheckSubject"/>.</param>
/// <param name="Source">Identity to write into the manifest.</param>
/// <param name="Truth">What is known of the files from elsewhere; Hugging Face's traces on disk are found by themselves and go first.</param>
/// <param name="ChunkBytes">Of the manifest.</param>
/// <param name="SettleDelay">Before a missing file is believed to be missing.</param>
public sealed record BuildRequest(
    string Root, string? Boundary, SourceIdentity Source, GroundTruth Truth, long ChunkBytes = ArtifactManifest.ChunkSize, TimeSpan SettleDelay = default)
{
    /// <summary>False leaves the content unread: presence and structure only, and no manifest.</summary>
    public bool ReadContent { get; init; } = true;

    /// <summary>Told often, from any thread; must not block.</summary>
    public Action<CheckProgress>? Progress { get; init; }

    /// <summary>Told each finding when it is made, one at a time, in no order; the verdict has them all again.</summary>
    public Action<FileFinding>? Found { get; init; }
}

/// <summary>What taking a manifest gave.</summary>
/// <param name="Manifest">Null when a file could not be read: half a manifest would call the rest missing for ever.</param>
/// <param name="Verdict">Whether the files are what the ground truth says and their own structure allows; Inconclusive when something could not be read.</param>
/// <param name="Truth">The ground truth that was used.</param>
/// <param name="Unlisted">Files without any ground truth.</param>
/// <param name="Skipped">What is on disk and not in the manifest, with the reason.</param>
/// <param name="Seen">Files looked at; without digests where the content was left unread.</param>
/// <param name="Bytes">Read.</param>
/// <param name="Route">How.</param>
public sealed record ManifestBuild(
    ArtifactManifest? Manifest, Verdict Verdict, GroundTruth Truth, int Unlisted, ImmutableArray<string> Skipped, ImmutableArray<ManifestEntry> Seen, long Bytes, ReadRoute? Route)
{
    /// <summary>Number of files looked at.</summary>
    public int Files => Seen.Length;

    /// <summary>Whether the manifest may become the yardstick: what is so at first is the baseline; what contradicts the ground truth is not written down as right.</summary>
    public bool IsAcceptable => Manifest is not null && Verdict.Findings.All(finding => finding.Reason is FindingReason.StructureInvalid or FindingReason.IndexIncomplete);
}

/// <summary>
/// Takes the manifest of a directory: every digest in one read, each inode once, checked against whatever ground truth there is.
/// Structural findings become the baseline of their entries: what was so at first is reported once and never again as damage.
/// </summary>
public sealed class ManifestBuilder(ReadEngine engine, TimeProvider time)
{
    public async Task<ManifestBuild> BuildAsync(BuildRequest request, CancellationToken cancellationToken)
    {
        var opened = await engine.OpenRootAsync(request.Root, request.Boundary, cancellationToken);
        if (opened is not ArtifactRootResult.Opened { Root: var root })
        {
            var refused = (ArtifactRootResult.Refused)opened;
            return new ManifestBuild(null, Verdict.Inconclusive(FileJudge.ReasonOf(refused.Cause), refused.Errno), GroundTruth.None, 0, [], [], 0, null);
        }

        using (root)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return await new ManifestBuilding(engine, time, request, root, cancellationToken).RunAsync();
        }
    }
}
