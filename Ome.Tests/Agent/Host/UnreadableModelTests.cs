using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A model object with a member of a wrong type, as an old CRD lets it in: it is no deleted one, and hides no other.</summary>
[Parallelizable]
public sealed class UnreadableModelTests
{
    private const string Unreadable = "model_agent_models_unreadable";

    [Test, CancelAfter(180_000)]
    public async Task A_model_that_cannot_be_read_keeps_its_label_and_its_checks_also_across_a_restart(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        await using var node = await AgentFixture.CreateAsync(plane, token);
        await LetAnythingInAsync(plane, token);
        await node.StartAsync(cancellationToken: token);
        var (kept, fresh) = ("kept-" + node.NodeName, "fresh-" + node.NodeName);
        var directory = node.WriteModel("kept");
        await node.ApplyClusterModelAsync(kept, "local://" + directory, null, token);
        await node.WaitForAsync(kept, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(kept, static check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);

        await plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<object>(
            new V1Patch("""{"spec":{"storage":"a text"}}""", V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, kept, cancellationToken: token);
        await UntilUnreadableAsync(node, 1, token);
        await node.ApplyClusterModelAsync(fresh, "local://" + node.WriteModel("fresh"), null, token);
        await node.WaitForAsync(fresh, NodeModelState.Ready, token);
        (await node.LabelAsync(kept)).Should().Be("Ready");

        await node.StopAsync();
        await node.StartAsync(cancellationToken: token);
        await UntilUnreadableAsync(node, 1, token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        File.Move(shard, shard + ".aside");
        await node.WaitForAsync(kept, NodeModelState.Failed, token);
        File.Move(shard + ".aside", shard);
        await node.WaitForAsync(kept, NodeModelState.Ready, token);

        await node.DeleteClusterModelAsync(kept, token);
        await node.WaitForAsync(kept, NodeModelState.Deleted, token);
        await UntilUnreadableAsync(node, 0, token);
        (await node.LabelAsync(fresh)).Should().Be("Ready");
    }

    /// <summary>The CRD becomes one without a schema.</summary>
    private static async Task LetAnythingInAsync(ITestControlPlane plane, CancellationToken token)
    {
        var name = $"{ClusterBaseModel.Plural}.{OmeNames.Group}";
        var crd = await plane.Admin.ApiextensionsV1.ReadCustomResourceDefinitionAsync(name, cancellationToken: token);
        foreach (var version in crd.Spec.Versions) version.Schema.OpenAPIV3Schema = new V1JSONSchemaProps { Type = "object", XKubernetesPreserveUnknownFields = true };
        await plane.Admin.ApiextensionsV1.ReplaceCustomResourceDefinitionAsync(crd, name, cancellationToken: token);
    }

    private static async Task UntilUnreadableAsync(AgentFixture node, int models, CancellationToken token)
    {
        while (true)
        {
            var metrics = await node.MetricsAsync();
            if (metrics.Value(Unreadable) == models) return;
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        }
    }
}
