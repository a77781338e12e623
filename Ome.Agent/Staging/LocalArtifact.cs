using System.Collections.Immutable;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Verification;

namespace Ome.Agent.Staging;

/// <summary>
/// <c>local://</c>: files that lie on the node already. Never copied, moved or deleted: they are listed and stamped once nobody writes them any more; their content
/// is hashed later, in the background (<see cref="ManifestEntry.Sha256"/> null until then).
/// </summary>
internal sealed partial class LocalArtifact(StagingDisk disk, StagingLayout layout, IStructureReader? structure, StagingOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>Between two looks at a directory that somebody writes.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A manifest of what is there, with what is wrong with it from birth on as its baseline. Entries of a former manifest whose file did not change keep
    /// what was proven of them. Returns when the directory has come to rest, however long that takes.
    /// </summary>
    public async Task<StagingResult> AdoptAsync(StagingRequest request, ArtifactManifest? known, StagingMeter meter, CancellationToken cancellationToken)
    {
        var rest = new LocalRest(time);
        ImmutableArray<FileFinding>? findings = null;
        long? told = null;
        for (var looks = 1; ; looks++)
        {
            var (listing, failure) = await ListAsync(request.Destination, cancellationToken).ConfigureAwait(false);
            if (listing is null) return new StagingResult.Failed(failure!);
            if (rest.See(listing)) findings = null;
            if (rest.IsSettled(sound: true))
            {
                findings ??= structure is null ? [] : await structure.ReadAsync(request.Destination, cancellationToken).ConfigureAwait(false);
                if (rest.IsSettled(findings.Value.IsEmpty)) return Adopt(request, known, listing, findings.Value);
            }

            if (looks > 1 && (told is null || time.GetElapsedTime(told.Value) >= options.ProgressInterval))
            {
                if (told is null) LogWaiting(request.Model.Key, request.Destination, rest.Changed ?? findings?.FirstOrDefault()?.Path?.Value ?? "");
                told = time.GetTimestamp();
                meter.Begin(StagingPhase.Scanning, listing.TotalBytes, listing.Entries.Count);
            }

            await Task.Delay(looks == 1 ? options.SettleDelay : Pace, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task<(LocalListing? Listing, StagingFailure? Failure)> ListAsync(string root, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            LocalListing.TryTake(root, disk, layout, cancellationToken, out var listing, out var failure);
            return (listing, failure);
        },
        cancellationToken);

    private StagingResult Adopt(StagingRequest request, ArtifactManifest? known, LocalListing listing, ImmutableArray<FileFinding> findings)
    {
        if (listing.Entries.Count == 0) return new StagingResult.Failed(new StagingFailure(StagingFailureReason.NotFound, $"local:// names '{request.Destination}', which holds no finished file"));
        var former = (known?.Entries ?? []).ToDictionary(entry => entry.Path);
        var born = findings.Where(finding => finding.Path is not null).ToLookup(finding => finding.Path!.Value, finding => finding.Reason.ToString());
        var identity = new SourceIdentity(request.Uri.Text, request.Destination, null);
        var manifest = new ArtifactManifest(
            identity, ManifestTrust.Local, time.GetUtcNow(), listing.Entries.Select(entry => Entry(entry, former.GetValueOrDefault(entry.Path), [.. born[entry.Path]])));
        var same = known is not null && known.Source.SameSpec(identity) && known.Entries.SequenceEqual(manifest.Entries);
        return new StagingResult.Staged(same ? known! : manifest, new StagingTally(0, manifest.TotalBytes, 0));
    }

    private static ManifestEntry Entry(ManifestEntry found, ManifestEntry? former, ImmutableArray<string> baseline)
    {
        var same = former is not null && former.LinkTarget == found.LinkTarget && (former.Stamp with { Blocks = 0 }) == (found.Stamp with { Blocks = 0 });
        if (!same) return found with { Baseline = baseline };
        return former!.HasContentDigest || former.Baseline.SequenceEqual(baseline) ? former : former with { Baseline = baseline };
    }

    [LoggerMessage(4003, LogLevel.Information, "{Model}: '{Directory}' is still being written ('{File}'); it is taken once it has come to rest")]
    private partial void LogWaiting(ModelKey model, string directory, string file);
}
