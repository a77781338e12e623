using Ome.Agent.Models;
using Ome.Agent.Publishing;
using Ome.Shared.Domain.Artifacts;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;

namespace Ome.Tests.Agent.Publishing;

/// <summary>Who shares an artifact is kept in its entry by others, and survives what the agent writes there.</summary>
public sealed class PublicationsTests
{
    private static readonly ModelSpec Model = new() { Key = ModelKey.Cluster("p"), StorageUri = "hf://org/model" };

    [TestCase("", "/m/c")]
    [TestCase("one", "/m/c")]
    [TestCase("another", null)]
    public void A_child_stays_the_child_of_the_same_commit_also_when_it_came_before_the_commit_was_known(string sha, string? child)
    {
        var record = ModelRecord.Begin(Model, "/m/p", DateTimeOffset.UnixEpoch) with
        {
            Phase = ModelPhase.Ready,
            Config = new ReportedConfig { Artifact = ArtifactLinks.Own("one", Model.Key, "/m/p") },
        };
        var there = ArtifactLinks.AddChild(NodeModelEntry.Of("p", NodeModelState.Updating) with { Config = new ReportedConfig { Artifact = new ReportedArtifact { Sha = sha } } }, "/m/c");

        var artifact = new Publications("node").Of(record, Model, null).Entry(there)!.Config!.Artifact;

        artifact.Sha.Should().Be("one");
        artifact.ChildrenPaths.Should().Equal(child is null ? [] : [child]);
    }
}
