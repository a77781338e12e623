using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Shared.Domain.Artifacts;

/// <summary>The model whose files another may link to.</summary>
/// <param name="ParentKey">Data key of the model that owns the files; its own entry may be gone.</param>
/// <param name="ParentPath">Their directory.</param>
/// <param name="Candidate">Data key of the entry that led there.</param>
public sealed record ArtifactParent(string ParentKey, string ParentPath, string Candidate);

/// <summary>Who shares whose files: the choice of a parent and the two changes of its list of children (contract 4.9). Pure.</summary>
public static class ArtifactLinks
{
    private const string ClusterPrefix = "clusterbasemodel";

    /// <summary>
    /// Parents an equal artifact could be linked to, best first: cluster models before those of the own namespace, more children before fewer. Only entries
    /// that are Ready and, where they say what they hold, hold the same repository (W16).
    /// </summary>
    /// <param name="report">What this node says of its models.</param>
    /// <param name="own">The model that wants an artifact.</param>
    /// <param name="sha">Commit of the wanted revision; empty when it is not known: then there is no parent (contract A08).</param>
    /// <param name="repository">Its repository.</param>
    public static IEnumerable<ArtifactParent> FindParents(NodeReport report, ModelKey own, string sha, string repository)
    {
        if (sha.Length == 0) return [];
        var ownPrefix = own.Kind == ModelKind.BaseModel ? own.Namespace + ".basemodel" : null;
        return report.Entries
            .Select(pair => (Rank: RankOf(pair.Key, ownPrefix), pair.Key, pair.Value.Entry))
            .Where(candidate => candidate.Rank is not null && candidate.Entry is { State: NodeModelState.Ready, Config.Artifact: var artifact } entry
                && artifact.Sha == sha && HoldsRepository(entry, repository) && ParentOf(artifact) is { } parent && !SameText(parent.Key, own.DataKey))
            .OrderBy(candidate => candidate.Rank)
            .ThenByDescending(candidate => candidate.Entry!.Config!.Artifact.ChildrenPaths?.Count ?? 0)
            .ThenBy(candidate => candidate.Key, StringComparer.Ordinal)
            .Select(candidate => (candidate.Key, Parent: ParentOf(candidate.Entry!.Config!.Artifact)!.Value))
            .Select(candidate => new ArtifactParent(candidate.Parent.Key, candidate.Parent.Value, candidate.Key))
            .DistinctBy(parent => (parent.ParentKey, parent.ParentPath));
    }

    /// <summary>The one pair of <c>parentPath</c>; null when there is none or more than one (contract A09).</summary>
    public static KeyValuePair<string, string>? ParentOf(ReportedArtifact artifact) =>
        artifact.ParentPath is { Count: 1 } parents && parents.First() is { Key.Length: > 0, Value.Length: > 0 } parent ? parent : null;

    /// <summary>The parent's entry with one more child; the same entry when it has it already, in any letter case (contract A10, A11).</summary>
    public static NodeModelEntry AddChild(NodeModelEntry parent, string path)
    {
        var config = parent.Config ?? new ReportedConfig();
        var children = config.Artifact.ChildrenPaths ?? [];
        if (children.Contains(path, StringComparer.OrdinalIgnoreCase)) return parent;
        return parent with { Config = config with { Artifact = config.Artifact with { ChildrenPaths = [.. children, path] } } };
    }

    /// <summary>The parent's entry without a child; its list is an array afterwards, whatever it was (contract A14).</summary>
    public static NodeModelEntry RemoveChild(NodeModelEntry parent, string path)
    {
        var config = parent.Config ?? new ReportedConfig();
        var children = config.Artifact.ChildrenPaths ?? [];
        return parent with { Config = config with { Artifact = config.Artifact with { ChildrenPaths = [.. children.Where(child => child != path)] } } };
    }

    /// <summary>What an entry says of the model's own files: its own parent (contract 4.9). Children recorded earlier stay.</summary>
    public static ReportedArtifact Own(string sha, ModelKey own, string destination, ReportedArtifact? before = null) =>
        Of(sha, own.DataKey, destination, before);

    /// <summary>What an entry says of files it links to.</summary>
    public static ReportedArtifact Shared(string sha, ArtifactParent parent, ReportedArtifact? before = null) => Of(sha, parent.ParentKey, parent.ParentPath, before);

    /// <summary>True when a change of policy alone asks for staging again: only <c>hf://</c> shares (contract A15).</summary>
    public static bool PolicyChangeMatters(StorageUri uri, DownloadPolicy before, DownloadPolicy after) => before != after && uri is StorageUri.HuggingFace;

    private static ReportedArtifact Of(string sha, string key, string path, ReportedArtifact? before) => new()
    {
        Sha = sha,
        ParentPath = new Dictionary<string, string>(StringComparer.Ordinal) { [key] = path },
        ChildrenPaths = before?.ChildrenPaths ?? [],
    };

    private static int? RankOf(string key, string? ownPrefix)
    {
        if (key.StartsWith(ClusterPrefix, StringComparison.OrdinalIgnoreCase)) return 0;
        return ownPrefix is not null && key.StartsWith(ownPrefix, StringComparison.OrdinalIgnoreCase) ? 1 : null;
    }

    /// <summary>Entries of agents that do not say their source are taken by the commit alone; ours name it.</summary>
    private static bool HoldsRepository(NodeModelEntry entry, string repository) =>
        entry.StorageUri is null
        || (StorageUri.TryParse(entry.StorageUri, out var uri, out _) && uri is StorageUri.HuggingFace hub && SameText(hub.ModelId.Trim(), repository.Trim()));

    private static bool SameText(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
}
