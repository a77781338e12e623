using System.Collections.Concurrent;
using Ome.Agent.Files;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Manifests;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Staging;

/// <summary>A staging that may have ended in a link.</summary>
/// <param name="Result">As from the stager.</param>
/// <param name="Artifact">What the model's entry says under <c>config.artifact</c>; null unless it was staged.</param>
public sealed record SharedStaging(StagingResult Result, ReportedArtifact? Artifact);

/// <summary>
/// Stages a model or, when it asks for reuse and an equal artifact lies on the node, links to that (contract 4.9). Equal means: the same repository at
/// the same commit, Ready, and every byte proven. An artifact wanted by two models is fetched once.
/// </summary>
public sealed partial class ArtifactSharing(
    ArtifactStager stager, ArtifactSourceCatalog sources, IArtifactRecords records, IManifestStore manifests, StagingLayout layout, StagingDisk disk, Trash trash,
    ILogger<ArtifactSharing> logger) : IDisposable
{
    private readonly KeyedLocks _locks = new();
    private readonly ConcurrentDictionary<string, ArtifactParent> _recent = new(StringComparer.Ordinal);

    /// <summary>Stages or links.</summary>
    /// <param name="request">What and where.</param>
    /// <param name="before">The model's artifact as last recorded; its children stay its children.</param>
    /// <param name="progress">Of a staging.</param>
    /// <param name="cancellationToken">Ends it within a second.</param>
    public async Task<SharedStaging> StageAsync(
        StagingRequest request, ReportedArtifact? before, IProgress<StagingProgress>? progress, CancellationToken cancellationToken)
    {
        if (request.Uri is not StorageUri.HuggingFace hub) return Blank(await stager.StageAsync(request, progress, cancellationToken).ConfigureAwait(false));
        try
        {
            if (request.Model.DownloadPolicy != DownloadPolicy.ReuseIfExists) return await OwnAsync(request, before, progress, cancellationToken).ConfigureAwait(false);
            var complete = request.Damaged is { Count: > 0 } ? null : await stager.FindCompleteAsync(request, cancellationToken).ConfigureAwait(false);
            if (complete is not null && !request.Reconsiders)
            {
                // Own files or a link, both as they were proven: nothing to ask the hub, which may be out of reach.
                return new SharedStaging(
                    new StagingResult.Staged(complete, new StagingTally(0, complete.TotalBytes, 0)), before ?? ArtifactLinks.Own(complete.Source.Revision ?? "", request.Model.Key, request.Destination));
            }

            var known = complete is null ? await ListAsync(request, cancellationToken).ConfigureAwait(false) : ListingOf(complete);
            if (known is not { Revision: { } sha } listing)
            {
                // Without a commit nothing says that two artifacts are equal (contract A08).
                return await OwnAsync(request, before, progress, cancellationToken).ConfigureAwait(false);
            }

            var artifact = $"{hub.ModelId.Trim()}@{sha}";
            using var held = await _locks.TakeAsync(artifact, cancellationToken).ConfigureAwait(false);
            var own = request.Model.Key;
            foreach (var parent in await CandidatesAsync(request, hub, sha, artifact, cancellationToken).ConfigureAwait(false))
            {
                if (await LinkAsync(request, parent, listing, before, cancellationToken).ConfigureAwait(false) is { } linked) return linked;
            }

            var staged = await OwnAsync(request, before, progress, cancellationToken).ConfigureAwait(false);
            if (staged.Result is StagingResult.Staged)
            {
                Forget(own);
                _recent[artifact] = new ArtifactParent(own.DataKey, request.Destination, own.DataKey);
            }

            return staged;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Blank(new StagingResult.Failed(new StagingFailure(StagingFailureReason.DiskError, $"linking '{request.Destination}' failed: {e.Message}")));
        }
    }

    /// <summary>Offers a model's files to nobody any more, unless the report does: it goes, or now has others.</summary>
    public void Forget(ModelKey model)
    {
        foreach (var entry in _recent.Where(entry => entry.Value.ParentKey == model.DataKey)) _recent.TryRemove(entry);
    }

    public void Dispose() => _locks.Dispose();

    /// <summary>Own files: a link left from earlier sharing gives way once they are all there, and then its parent forgets it (contract A16).</summary>
    private async Task<SharedStaging> OwnAsync(
        StagingRequest request, ReportedArtifact? before, IProgress<StagingProgress>? progress, CancellationToken cancellationToken)
    {
        var own = request.Model.Key;
        var result = await stager.StageAsync(request with { ReplacesLink = true }, progress, cancellationToken).ConfigureAwait(false);
        if (result is not StagingResult.Staged { Manifest.Source.Revision: var sha }) return Blank(result);
        if (before is not null && ArtifactLinks.ParentOf(before) is { } parent && !string.Equals(parent.Key, own.DataKey, StringComparison.OrdinalIgnoreCase)
            && !await records.RemoveChildAsync(parent.Key, request.Destination, cancellationToken).ConfigureAwait(false)) LogParentUnreadable(own, parent.Key);
        return new SharedStaging(result, ArtifactLinks.Own(sha ?? "", own, request.Destination, before));
    }

    /// <summary>What a complete model would be listed as: by its own commit, and without asking the hub. Null where only our own digests would say that two are equal.</summary>
    private static ArtifactListing? ListingOf(ArtifactManifest complete)
    {
        if (complete.Trust != ManifestTrust.Upstream) return null;
        var files = complete.Entries.Select(entry => new ArtifactFile(entry.Path, entry.Size, entry.Upstream));
        return ArtifactListing.TryCreate(complete.Source.Revision, files, out var listing, out _) ? listing : null;
    }

    private async Task<ArtifactListing?> ListAsync(StagingRequest request, CancellationToken cancellationToken)
    {
        if (!sources.TryGet(request.Uri, out var source, out _)) return null;
        var listed = await source.ListAsync(new SourceRequest(request.Model, request.Uri, request.Node), cancellationToken).ConfigureAwait(false);
        return (listed as ListingResult.Listed)?.Listing;
    }

    private async Task<IEnumerable<ArtifactParent>> CandidatesAsync(
        StagingRequest request, StorageUri.HuggingFace hub, string sha, string artifact, CancellationToken cancellationToken)
    {
        var report = await records.ReadAsync(cancellationToken).ConfigureAwait(false);
        var own = report is not null && report.Entries.TryGetValue(request.Model.Key.DataKey, out var item) ? item.Entry?.Config?.Artifact : null;
        // Files that others link to stay where they are.
        if (own is { ChildrenPaths.Count: > 0 }) return [];
        var found = report is null ? [] : ArtifactLinks.FindParents(report, request.Model.Key, sha, hub.ModelId);

        // The report lags behind what this process has just staged for another model.
        return _recent.TryGetValue(artifact, out var recent) && MayShare(request.Model.Key, recent) ? found.Append(recent) : found;
    }

    /// <summary>The namespaces' rule of the report, for what is not in it yet.</summary>
    private static bool MayShare(ModelKey own, ArtifactParent parent) =>
        parent.ParentKey != own.DataKey && ModelKey.TryParseDataKey(parent.ParentKey, out var other)
        && (other.Kind == ModelKind.ClusterBaseModel || (own.Kind == ModelKind.BaseModel && other.Namespace == own.Namespace));

    private async Task<SharedStaging?> LinkAsync(
        StagingRequest request, ArtifactParent parent, ArtifactListing listing, ReportedArtifact? before, CancellationToken cancellationToken)
    {
        var (own, destination) = (request.Model.Key, request.Destination);
        if (layout.Refuse(disk, destination, mayBeLink: true) is { } unsafePath) return Blank(new StagingResult.Failed(unsafePath));
        // Whoever removes the parent decides before this or after: the parent's children are not counted while one is coming.
        using var held = await stager.HoldAllAsync([destination, parent.ParentPath], cancellationToken).ConfigureAwait(false);
        if (layout.Refuse(disk, parent.ParentPath) is not null || disk.Look(parent.ParentPath) is not (FileType.Directory, _, _)) return null;
        if (DestinationRule.Overlap(destination, parent.ParentPath)) return null;
        var manifest = await ProveAsync(request, parent, listing, cancellationToken).ConfigureAwait(false);
        if (manifest is null) return null;

        // The parent knows its child before the child exists: a crash between leaves one child too many, which keeps files.
        if (!await records.AddChildAsync(parent.ParentKey, destination, cancellationToken).ConfigureAwait(false)) return null;
        PutLink(parent.ParentPath, destination);
        await manifests.SaveAsync(own, manifest).ConfigureAwait(false);
        LogLinked(own, destination, parent.ParentKey, parent.ParentPath);
        return new SharedStaging(new StagingResult.Staged(manifest, new StagingTally(0, manifest.TotalBytes, 0)), ArtifactLinks.Shared(listing.Revision!, parent, before));
    }

    /// <summary>The child's manifest if every file of the listing is in the parent's directory, byte for byte; else null.</summary>
    private async Task<ArtifactManifest?> ProveAsync(StagingRequest request, ArtifactParent parent, ArtifactListing listing, CancellationToken cancellationToken)
    {
        var known = ModelKey.TryParseDataKey(parent.ParentKey, out var key) ? await manifests.LoadAsync(key, cancellationToken).ConfigureAwait(false) : null;
        return await stager.ProveInPlaceAsync(request, parent.ParentPath, listing, known, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A relative link, so that the tree may be mounted elsewhere; made beside and renamed, so that the name is never without a target.</summary>
    private void PutLink(string target, string destination)
    {
        var folder = Path.GetDirectoryName(destination)!;
        Directory.CreateDirectory(folder);
        var text = Path.GetRelativePath(folder, target);
        if (new FileInfo(destination).LinkTarget == text) return;
        Directory.CreateDirectory(layout.StagingRoot);
        var pending = Path.Combine(layout.StagingRoot, StagingLayout.IdOf(destination) + ".link");
        trash.Take(pending);
        File.CreateSymbolicLink(pending, text);
        if (disk.Look(destination) is (FileType.Directory, _, _)) disk.Exchange(pending, destination);
        else disk.Rename(pending, destination);
        disk.FlushDirectory(folder);
        trash.Take(pending);
    }

    private static SharedStaging Blank(StagingResult result) => new(result, result is StagingResult.Failed ? null : new ReportedArtifact());

    [LoggerMessage(4040, LogLevel.Information, "{Model}: {Destination} links to the equal artifact of {Parent} at {Path}")]
    private partial void LogLinked(ModelKey model, string destination, string parent, string path);

    [LoggerMessage(4041, LogLevel.Warning, "{Model}: the entry of its former parent {Parent} is not JSON and keeps its list of children")]
    private partial void LogParentUnreadable(ModelKey model, string parent);
}
