using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Artifacts;

/// <summary>Facts a removal is decided on; all of them gathered before.</summary>
/// <param name="Key">The model that goes.</param>
/// <param name="Uri">Its source; null when its text was never understood.</param>
/// <param name="Destination">Where its files lie; null when that was refused.</param>
/// <param name="KeepsFiles">The reserve label.</param>
/// <param name="OthersThere">Models that stay and whose files lie in, around or at the destination.</param>
/// <param name="Report">What this node says of its models; null when it could not be read.</param>
/// <param name="LinksIn">Links below the models root, other than the destination itself, that lead to the directory its files lie in; null when the search failed.</param>
/// <param name="OthersAtParent">Models that stay and whose files lie at the recorded parent's directory.</param>
public sealed record RemovalFacts(
    ModelKey Key,
    StorageUri? Uri,
    string? Destination,
    bool KeepsFiles,
    IReadOnlyList<ModelKey> OthersThere,
    NodeReport? Report,
    IReadOnlyList<string>? LinksIn,
    IReadOnlyList<ModelKey> OthersAtParent);

/// <summary>What is to be done with a model's files. Label and entry go in every case.</summary>
public abstract record RemovalPlan
{
    private RemovalPlan()
    {
    }

    /// <summary>Files stay.</summary>
    /// <param name="Why">For people.</param>
    /// <param name="IsNotable">True when somebody should look: files may be left behind that nothing will remove.</param>
    public sealed record Keep(string Why, bool IsNotable = false) : RemovalPlan;

    /// <summary>Files go.</summary>
    /// <param name="Destination">The model's directory, or the link it is.</param>
    /// <param name="LeaveParent">Data key of the parent whose children no longer include the destination; null for own files.</param>
    /// <param name="OrphanedParent">Directory of a parent that is gone and that nobody links to any more; null when there is none.</param>
    public sealed record Remove(string Destination, string? LeaveParent = null, string? OrphanedParent = null) : RemovalPlan;
}

/// <summary>When a model's files are deleted (contract 4.13): short rules in order, the first that speaks wins. Pure.</summary>
public static class RemovalRules
{
    /// <summary>Decides.</summary>
    public static RemovalPlan Decide(RemovalFacts facts)
    {
        if (facts.Uri is null) return new RemovalPlan.Keep("nothing was ever staged from a storageUri that is not understood");
        if (facts.Uri is not (StorageUri.HuggingFace or StorageUri.Oci or StorageUri.S3)) return new RemovalPlan.Keep($"{facts.Uri.Scheme} files are not ours");
        if (facts.Destination is null) return new RemovalPlan.Keep("its directory was refused, so nothing was staged", IsNotable: true);
        if (facts.OthersThere.Count > 0) return new RemovalPlan.Keep($"{facts.OthersThere[0]} has files there");
        if (facts.KeepsFiles) return new RemovalPlan.Keep($"label {OmeNames.ReserveArtifactLabel} is true");
        return facts.Uri is StorageUri.HuggingFace ? DecideShared(facts, facts.Destination) : new RemovalPlan.Remove(facts.Destination);
    }

    private static RemovalPlan DecideShared(RemovalFacts facts, string destination)
    {
        if (facts.Report is null) return new RemovalPlan.Keep("the node's report could not be read, so it is not known who shares the files", IsNotable: true);
        if (!facts.Report.Entries.TryGetValue(facts.Key.DataKey, out var item) || item.Entry?.Config is not { Artifact: var artifact })
        {
            return new RemovalPlan.Keep("the node's report does not say who shares the files", IsNotable: true);
        }

        if (artifact.ChildrenPaths is { Count: > 0 } children) return new RemovalPlan.Keep($"'{children[0]}' links to its files");
        if (ArtifactLinks.ParentOf(artifact) is not { } parent) return new RemovalPlan.Keep("the node's report does not say whose the files are", IsNotable: true);
        if (string.Equals(parent.Key, facts.Key.DataKey, StringComparison.OrdinalIgnoreCase))
        {
            // A child that came before the parent's entry did is in no list, but its link is there.
            return facts.LinksIn is [var link, ..] ? new RemovalPlan.Keep($"'{link}' links to its files") : new RemovalPlan.Remove(destination);
        }

        var isOrphaned = !facts.Report.Entries.Keys.Contains(parent.Key, StringComparer.OrdinalIgnoreCase) && facts.LinksIn is { Count: 0 } && facts.OthersAtParent.Count == 0;
        return new RemovalPlan.Remove(destination, parent.Key, isOrphaned ? parent.Value : null);
    }
}
