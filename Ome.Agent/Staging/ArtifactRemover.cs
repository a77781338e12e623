using Ome.Agent.Files;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Agent.Staging;

/// <summary>A model that goes from this node.</summary>
/// <param name="Key">Which.</param>
/// <param name="Uri">Its parsed source; null when its text was never understood.</param>
/// <param name="Destination">Where its files lie; null when that was refused.</param>
/// <param name="KeepsFiles">The reserve label.</param>
/// <param name="OthersAt">Models that stay and whose files lie in, around or at a directory.</param>
public sealed record RemovalRequest(ModelKey Key, StorageUri? Uri, string? Destination, bool KeepsFiles, Func<string, IReadOnlyList<ModelKey>> OthersAt);

/// <summary>How a removal ended. In every case but <see cref="Failed"/> label and entry go.</summary>
public abstract record RemovalResult
{
    private RemovalResult()
    {
    }

    /// <summary>The names are free; bytes are given back in the background.</summary>
    public sealed record Removed(IReadOnlyList<string> Paths) : RemovalResult;

    /// <summary>Files stay, and why.</summary>
    public sealed record Kept(string Why, bool IsNotable) : RemovalResult;

    /// <summary>Nothing was removed, label and entry stay; the caller tries again (W33).</summary>
    public sealed record Failed(StagingFailure Failure) : RemovalResult;
}

/// <summary>
/// Removes an artifact when nobody needs it any more: only below the models root, never through a link, children and parents minded. Call it when no
/// staging of the model runs.
/// </summary>
public sealed partial class ArtifactRemover(StagingLayout layout, StagingDisk disk, Trash trash, IArtifactRecords records, ArtifactStager stager, ILogger<ArtifactRemover> logger)
{
    /// <summary>Decides and does it.</summary>
    public async Task<RemovalResult> RemoveAsync(RemovalRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await DoAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new RemovalResult.Failed(new StagingFailure(StagingFailureReason.DiskError, $"removing '{request.Destination}' failed: {e.Message}"));
        }
    }

    private async Task<RemovalResult> DoAsync(RemovalRequest request, CancellationToken cancellationToken)
    {
        if (request.Destination is { } abandoned && layout.Refuse(disk, abandoned, mayBeLink: true) is null)
        {
            await stager.AbandonAsync(abandoned, cancellationToken).ConfigureAwait(false);
        }

        if (request is not { Uri: StorageUri.HuggingFace, Destination: { } destination }) return await DecidedAsync(request, null, null, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var expected = OtherParent(await records.ReadAsync(cancellationToken).ConfigureAwait(false), request.Key);

            // From here on nobody links to these files, so that who shares them is so until they are gone.
            using var held = await stager.HoldAllAsync(expected is null ? [destination] : [destination, expected], cancellationToken).ConfigureAwait(false);
            var report = await records.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (OtherParent(report, request.Key) == expected) return await DecidedAsync(request, report, expected, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<RemovalResult> DecidedAsync(RemovalRequest request, NodeReport? report, string? parent, CancellationToken cancellationToken)
    {
        var files = request.Uri is StorageUri.HuggingFace ? parent ?? request.Destination : null;
        var plan = RemovalRules.Decide(new RemovalFacts(
            request.Key, request.Uri, request.Destination, request.KeepsFiles, request.Destination is null ? [] : request.OthersAt(request.Destination), report,
            files is null ? [] : FindLinks(request, files), parent is null ? [] : request.OthersAt(parent)));
        if (plan is RemovalPlan.Keep keep)
        {
            if (keep.IsNotable) LogKept(request.Key, request.Destination, keep.Why);
            return new RemovalResult.Kept(keep.Why, keep.IsNotable);
        }

        var remove = (RemovalPlan.Remove)plan;
        if (layout.Refuse(disk, remove.Destination, mayBeLink: true) is { } refusal) return Refused(request, refusal);
        var removed = new List<string>();
        if (trash.Take(remove.Destination)) removed.Add(remove.Destination);

        // The link is gone before the parent forgets it: a crash between leaves a child too many, which keeps files, not one too few.
        if (remove.LeaveParent is { } key && !await records.RemoveChildAsync(key, remove.Destination, cancellationToken).ConfigureAwait(false)) LogParentUnreadable(request.Key, key);
        if (remove.OrphanedParent is { } orphan && layout.Refuse(disk, orphan) is null && trash.Take(orphan)) removed.Add(orphan);
        LogRemoved(request.Key, string.Join(", ", removed));
        return new RemovalResult.Removed(removed);
    }

    private RemovalResult.Kept Refused(RemovalRequest request, StagingFailure refusal)
    {
        LogKept(request.Key, request.Destination, refusal.Message);
        return new RemovalResult.Kept(refusal.Message, IsNotable: true);
    }

    /// <summary>Directory of the parent whose files the model links to; null when its files are its own.</summary>
    private static string? OtherParent(NodeReport? report, ModelKey own) =>
        report is not null && report.Entries.TryGetValue(own.DataKey, out var item) && item.Entry?.Config is { Artifact: var artifact }
        && ArtifactLinks.ParentOf(artifact) is { } parent && !string.Equals(parent.Key, own.DataKey, StringComparison.OrdinalIgnoreCase) ? parent.Value : null;

    /// <summary>Links, other than the model's own, that lead to a directory; null when the search failed.</summary>
    private List<string>? FindLinks(RemovalRequest request, string target)
    {
        try
        {
            var found = new List<string>();
            var waiting = new Stack<string>([layout.ModelsRoot]);
            while (waiting.TryPop(out var directory))
            {
                foreach (var path in Directory.EnumerateFileSystemEntries(directory))
                {
                    if (path == layout.ModelsRoot + "/" + DestinationRule.StateDirectory || path == request.Destination) continue;
                    var kind = disk.Look(path)?.Kind;
                    if (kind == FileType.Directory && path != target) waiting.Push(path);
                    else if (kind == FileType.Link && LeadsTo(path, target)) found.Add(path);
                }
            }

            return found;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogSearchFailed(request.Key, e.Message);
            return null;
        }
    }

    private static bool LeadsTo(string link, string target) =>
        new FileInfo(link).LinkTarget is { } text && Path.GetFullPath(text, Path.GetDirectoryName(link)!) is var full
        && (full == target || full.StartsWith(target + "/", StringComparison.Ordinal) || Directory.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName == target);

    [LoggerMessage(4030, LogLevel.Information, "Removed {Model}: {Paths}")]
    private partial void LogRemoved(ModelKey model, string paths);

    [LoggerMessage(4031, LogLevel.Warning, "The files of {Model} at '{Path}' stay: {Why}")]
    private partial void LogKept(ModelKey model, string? path, string why);

    [LoggerMessage(4032, LogLevel.Warning, "{Model}: the entry of its parent {Parent} is not JSON and keeps its list of children")]
    private partial void LogParentUnreadable(ModelKey model, string parent);

    [LoggerMessage(4033, LogLevel.Warning, "{Model}: the search for other links to its files failed: {Problem}")]
    private partial void LogSearchFailed(ModelKey model, string problem);
}
