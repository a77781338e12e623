using System.Globalization;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain.Models;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Host;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Flow;

/// <summary>
/// Both programs as processes with exactly the rights of config/rbac: nothing is denied. Then one rule after another is taken away: the log names what is missing, the program
/// lives on, and does what it could not once the rule is back.
/// </summary>
public sealed class MissingRightTests
{
    [Test, CancelAfter(180_000)]
    public async Task The_agent_names_each_right_it_lacks_and_lives_on(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var (faults, requests) = (plane.RequireFaults(), plane.RequireRequestLog());
        await plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = ShippedRights.Namespace } }, cancellationToken: token);
        await ShippedRights.ApplyAsync(plane, "agent", token);
        await using var node = await AgentFixture.CreateAsync(plane, token, ShippedRights.Namespace);
        await using var agent = AgentProcess.Start(node, await ShippedRights.KubeconfigAsync(plane, RightsNames.Agent, node.ModelsRoot, token), ["--log-level", "info"]);
        var directory = node.WriteModel("model");
        var model = "rights-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token);
        await node.WaitForCheckAsync(model, check => check.Status is { Result: "Valid", OldestProofTime: not null }, token);
        var shard = Directory.GetFiles(directory, "*.safetensors").Order(StringComparer.Ordinal).First();
        await ToggleAsync();
        await ConvergeAsync();
        requests.Denied.Should().BeEmpty("config/rbac gives everything the agent needs");

        foreach (var resource in new[] { "nodes", "configmaps", "modelintegritychecks", "modelintegritychecks/status", "events" })
        {
            var group = resource.StartsWith("model", StringComparison.Ordinal) ? "ome.io" : "";
            await using (await ShippedRights.RevokeAsync(plane, RightsNames.Agent, resource, token))
            {
                await ToggleAsync();
                await agent.UntilLogAsync(Names($"cannot (get|create|patch|delete) resource .?\"{resource}.?\" in API group .?\"{group}.?\""), token);
            }

            await ConvergeAsync();
        }

        var key = ModelKey.Cluster(model);
        var noLabel = new V1Patch(new { metadata = new { labels = new Dictionary<string, string?> { [key.LabelKey] = null } } }, V1Patch.PatchType.MergePatch);
        var noEntry = new V1Patch(new { data = new Dictionary<string, string?> { [key.DataKey] = null } }, V1Patch.PatchType.MergePatch);
        await BlindAsync("nodes");
        await plane.Admin.CoreV1.PatchNodeAsync(noLabel, node.NodeName, cancellationToken: token);
        await ConvergeAsync();
        await BlindAsync("configmaps");
        await plane.Admin.CoreV1.PatchNamespacedConfigMapAsync(noEntry, node.NodeName, node.Namespace, cancellationToken: token);
        await ConvergeAsync();
        await BlindAsync("clusterbasemodels");
        await node.DeleteClusterModelAsync(model, token);
        await node.WaitForAsync(model, NodeModelState.Deleted, token);
        agent.HasExited.Should().BeFalse(agent.Log);

        async Task BlindAsync(string resource)
        {
            await using var revoked = await ShippedRights.RevokeAsync(plane, RightsNames.Agent, resource, token);
            faults.DropWatches(resource);
            await agent.UntilLogAsync(Names($"list and watch of {resource}.* are not allowed.*Apply config/rbac"), token);
        }

        Task ToggleAsync()
        {
            if (File.Exists(shard)) File.Move(shard, shard + ".aside");
            else File.Move(shard + ".aside", shard);
            return Task.CompletedTask;
        }

        async Task ConvergeAsync()
        {
            var intact = File.Exists(shard);
            await node.WaitForAsync(model, intact ? NodeModelState.Ready : NodeModelState.Failed, token);
            await node.WaitForCheckAsync(model, check => check.Status.Result == (intact ? "Valid" : "Invalid"), token);
        }
    }

    [Test, CancelAfter(180_000)]
    public async Task The_operator_names_each_right_it_lacks_and_lives_on(CancellationToken token)
    {
        await using var plane = await ControlPlanes.StartAsync(token);
        var (faults, requests) = (plane.RequireFaults(), plane.RequireRequestLog());
        await plane.Admin.CoreV1.CreateNamespaceAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = ShippedRights.Namespace } }, cancellationToken: token);
        await ShippedRights.ApplyAsync(plane, "operator", token);
        await using var node = await AgentFixture.CreateAsync(plane, token, ShippedRights.Namespace);
        await using var models = new ObjectObserver<ClusterBaseModel>(plane.Admin);
        var kubeconfig = await ShippedRights.KubeconfigAsync(plane, RightsNames.Operator, node.ModelsRoot, token);
        await using var program = ProgramProcess.Start(
            "ome-operator.dll",
            port => ["--host", "127.0.0.1", "--port", port.ToString(CultureInfo.InvariantCulture), "--leader-elect", "true", "--leader-lease", "3s", "--log-level", "info"],
            new Dictionary<string, string?> { ["KUBECONFIG"] = kubeconfig, ["POD_NAMESPACE"] = ShippedRights.Namespace });
        // The tests play the agent: they write its report.
        var model = "rights-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "hf://org/model", "/mnt/models/model", token);
        var ready = true;
        await ReportAsync();
        await ConvergeAsync();
        requests.Denied.Should().BeEmpty("config/rbac gives everything the operator needs");

        foreach (var (resource, group) in new[] { ("clusterbasemodels/status", "ome.io"), ("events", ""), ("leases", "coordination.k8s.io") })
        {
            await using (await ShippedRights.RevokeAsync(plane, RightsNames.Operator, resource, token))
            {
                ready = !ready;
                await ReportAsync();
                await program.UntilLogAsync(Names($"cannot (get|create|update|patch|delete) resource .*{resource}.* in API group .*{group}"), token);
            }

            await ConvergeAsync();
        }

        foreach (var resource in new[] { "nodes", "configmaps", "clusterbasemodels" })
        {
            await using (await ShippedRights.RevokeAsync(plane, RightsNames.Operator, resource, token))
            {
                faults.DropWatches(resource);
                await program.UntilLogAsync(resource == "clusterbasemodels"
                    ? Names("ClusterBaseModel.*(Grant get, list and watch on this kind|Forbidden)")
                    : Names($"list and watch of {resource}.* are not allowed.*Apply config/rbac"), token);
            }

            ready = !ready;
            await ReportAsync();
            await ConvergeAsync();
        }

        program.HasExited.Should().BeFalse(program.Log);

        async Task ReportAsync()
        {
            var entry = NodeReportCodec.Encode(NodeModelEntry.Of(model, ready ? NodeModelState.Ready : NodeModelState.Failed));
            var report = new V1ConfigMap
            {
                ApiVersion = "v1",
                Kind = "ConfigMap",
                Metadata = new V1ObjectMeta { Name = node.NodeName, Labels = new Dictionary<string, string>(NodeReport.LabelsFor(node.NodeName)) },
                Data = new Dictionary<string, string> { [ModelKey.Cluster(model).DataKey] = entry },
            };
            await plane.Admin.CoreV1.PatchNamespacedConfigMapAsync(
                new V1Patch(report, V1Patch.PatchType.ApplyPatch), node.NodeName, ShippedRights.Namespace, fieldManager: "tests", force: true, cancellationToken: token);
        }

        Task ConvergeAsync() => models.UntilAsync(null, model, found => found?.Status is { } status && (ready ? status.NodesReady : status.NodesFailed)?.Contains(node.NodeName) == true, token);
    }

    private static Func<string, bool> Names(string pattern) => new Regex(pattern, RegexOptions.NonBacktracking).IsMatch;
}
