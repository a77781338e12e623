using Ome.Shared.Domain.Models;

namespace Ome.Shared.Domain.Aggregation;

/// <summary>What an aggregate means to people: conditions with a reason and a sentence to act on (design 5). First rule that speaks wins.</summary>
public static class ModelConditions
{
    /// <summary>Condition type: at least one node serves the model.</summary>
    public const string Ready = "Ready";

    /// <summary>Condition type: what the nodes hold is what it was when it was staged.</summary>
    public const string ArtifactsIntact = "ArtifactsIntact";

    /// <summary>Condition type, present only when False: entries of some nodes cannot be read.</summary>
    public const string ReportsReadable = "ReportsReadable";

    /// <summary>Condition type, present only when False: something in the model cannot be used as written.</summary>
    public const string SpecValid = "SpecValid";

    private const int NamedNodes = 5;

    /// <summary>The conditions of a model, in the order they are shown.</summary>
    /// <param name="aggregate">What the nodes say.</param>
    /// <param name="spec">What its author wrote.</param>
    public static IReadOnlyList<ModelCondition> Of(ModelAggregate aggregate, ModelSpec spec)
    {
        var conditions = new List<ModelCondition> { ReadyOf(aggregate, spec.StorageUri), IntactOf(aggregate) };
        if (SpecOf(aggregate, spec) is { } problems) conditions.Add(problems);
        if (aggregate.NodesUnreadable.Count > 0) conditions.Add(UnreadableOf(aggregate));
        return conditions;
    }

    /// <summary>While a deleted model waits for its nodes: which ones (contract 7.4).</summary>
    public static ModelCondition Deleting(ModelAggregate aggregate)
    {
        List<string> holding = [.. aggregate.NodesReady, .. aggregate.NodesFailed, .. aggregate.NodesUpdating, .. aggregate.NodesStale];
        holding.Sort(StringComparer.Ordinal);
        return new ModelCondition(Ready, "False", "Deleting", $"waiting for {Count(holding.Count, "node")} to remove the files: {Names(holding)}");
    }

    private static ModelCondition ReadyOf(ModelAggregate aggregate, string storageUri)
    {
        var total = aggregate.Targeted;
        if (aggregate.NodesReady.Count > 0)
        {
            return new ModelCondition(Ready, "True", "NodesReady", $"{aggregate.NodesReady.Count} of {Count(total, "node")} ready{Rest(aggregate)}");
        }

        if (!StorageUri.TryParse(storageUri, out var uri, out var refusal)) return new ModelCondition(Ready, "False", "InvalidStorageUri", refusal.ToString());
        if (uri is StorageUri.PersistentVolumeClaim)
        {
            return new ModelCondition(Ready, "False", "NotStaged", "pvc:// models are not staged on nodes; mount the claim in the serving pod");
        }

        if (aggregate.NodesFailed.Count > 0)
        {
            return new ModelCondition(Ready, "False", "NodesFailed", $"no node is ready; failed on {Count(aggregate.NodesFailed.Count, "node")}: {Names(aggregate.NodesFailed)}");
        }

        return total == 0
            ? new ModelCondition(Ready, "False", "NoNode", "no live node has taken the model up; check nodeSelector, nodeAffinity and that an agent runs there")
            : new ModelCondition(Ready, "False", "InTransit", $"0 of {Count(total, "node")} ready{Rest(aggregate)}");
    }

    private static ModelCondition IntactOf(ModelAggregate aggregate)
    {
        if (aggregate.NodesDamaged.Count > 0) return DamagedOf(aggregate);
        var ready = aggregate.NodesReady.Count;
        if (ready == 0) return new ModelCondition(ArtifactsIntact, "Unknown", "NothingToVerify", "no node is ready");
        if (aggregate.CouldNotVerify is { } trouble)
        {
            return new ModelCondition(ArtifactsIntact, "Unknown", "CouldNotVerify", $"could not be verified on {trouble.Node}: {trouble.Reason}");
        }

        return aggregate.NodesVerified == ready
            ? new ModelCondition(ArtifactsIntact, "True", "Verified", $"verified on {Count(ready, "ready node")}")
            : new ModelCondition(ArtifactsIntact, "Unknown", "NotVerified", $"verified on {aggregate.NodesVerified} of {Count(ready, "ready node")}");
    }

    private static ModelCondition DamagedOf(ModelAggregate aggregate)
    {
        var first = aggregate.NodesDamaged[0];
        var next = first.IsWithdrawn ? "readmission after repair and a full check" : "still advertised, because damage is only reported for this model";
        var others = aggregate.NodesDamaged.Skip(1).Select(static damaged => damaged.Node).ToList();
        var also = others.Count == 0 ? string.Empty : $"; also on {Names(others)}";
        return new ModelCondition(
            ArtifactsIntact, "False", WordOf(first.Reason), $"{aggregate.Model} is damaged on {first.Node}: {first.Message}; {next}{also}");
    }

    // What a node refuses is said in its own words, unless it is what we see ourselves.
    private static ModelCondition? SpecOf(ModelAggregate aggregate, ModelSpec spec)
    {
        var problems = SpecProblems.Of(spec).ToList();
        if (aggregate.Refusal is { } refusal && !problems.Exists(static problem => problem.Reason != SpecProblems.InvalidAnnotation))
        {
            var others = aggregate.NodesRefusing > 1 ? $" and {Count(aggregate.NodesRefusing - 1, "other node")}" : string.Empty;
            problems.Insert(0, new SpecProblem("RefusedByNode", $"{refusal.Node}{others}: {refusal.Message}"));
        }

        return problems.Count == 0 ? null : new ModelCondition(SpecValid, "False", problems[0].Reason, string.Join("; ", problems.Select(static problem => problem.Message)));
    }

    private static ModelCondition UnreadableOf(ModelAggregate aggregate)
    {
        var first = aggregate.NodesUnreadable[0];
        var others = aggregate.NodesUnreadable.Skip(1).Select(static node => node.Node).ToList();
        var also = others.Count == 0 ? string.Empty : $"; also on {Names(others)}";
        return new ModelCondition(ReportsReadable, "False", "EntryUnreadable", $"the entry of {first.Node} cannot be read: {first.Error}{also}");
    }

    // A condition whose reason is no word would be refused by the API server, and the whole status with it.
    private static string WordOf(string reason) => char.IsAsciiLetter(reason[0]) && reason.All(char.IsAsciiLetterOrDigit) ? reason : "Damaged";

    private static string Rest(ModelAggregate aggregate)
    {
        var parts = new List<string>();
        if (aggregate.NodesUpdating.Count > 0) parts.Add($"{aggregate.NodesUpdating.Count} updating");
        if (aggregate.NodesFailed.Count > 0) parts.Add($"{aggregate.NodesFailed.Count} failed ({Names(aggregate.NodesFailed)})");
        if (aggregate.NodesStale.Count > 0) parts.Add($"{aggregate.NodesStale.Count} with files of an earlier source or path");
        return parts.Count == 0 ? string.Empty : "; " + string.Join(", ", parts);
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static string Names(List<string> nodes) => Names((IReadOnlyList<string>)nodes);

    private static string Names(IReadOnlyList<string> nodes) =>
        string.Join(", ", nodes.Take(NamedNodes)) + (nodes.Count > NamedNodes ? $" and {nodes.Count - NamedNodes} more" : string.Empty);
}
