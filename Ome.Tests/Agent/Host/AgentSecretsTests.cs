using System.Text.Json;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Agent.Staging;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>A token in a Secret and a signed address, through the whole agent: neither is in logs, metrics, label, entry, check, Events or files.</summary>
public sealed class AgentSecretsTests
{
    private const string Planted = "hf_plantedSecret4711";

    [Test]
    [CancelAfter(180_000)]
    public async Task Nothing_the_agent_says_holds_the_token_or_a_signed_address(CancellationToken token)
    {
        using var tree = new TempDirectory();
        ModelTree.Write(tree.Path);
        await using var hub = await FakeHub.StartAsync(urlSignature: Planted + "-url", cancellationToken: token);
        hub.GrantedTokens.Add(Planted);
        hub.KnownTokens.Add(Planted + "-refused");
        hub.AddDirectory("demo/tiny", tree.Path);
        hub.Repository("demo/tiny").Access = HubAccess.Gated;
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await SecretAsync(node, "good", Planted, token);
        await SecretAsync(node, "refused", Planted + "-refused", token);
        await node.StartAsync(
            options =>
            {
                options.HubEndpoint = hub.Endpoint;
                options.LogLevel = "trace";
            },
            token);
        var logs = new CapturedLogs();
        node.Services.GetRequiredService<ILoggerFactory>().AddProvider(logs);
        var (good, refused) = ("good-" + node.NodeName, "refused-" + node.NodeName);

        hub.Faults.Add(new HubFault(HubFaultKind.Cut, HubFaultScope.Body, AfterBytes: 1000));
        hub.Faults.Add(new HubFault(HubFaultKind.Status, HubFaultScope.Body, Status: 500));
        await ApplyAsync(node, good, "good", token);
        await node.WaitForAsync(good, NodeModelState.Ready, token);
        await node.WaitForCheckAsync(good, check => check.Status.Result == "Valid", token);
        await ApplyAsync(node, refused, "refused", token);
        await node.WaitForAsync(refused, NodeModelState.Failed, token);
        (await node.EntryAsync(refused))!.Validation!.Reason.Should().BeOneOf("Gated", "Unauthorized");
        // The Event is the last that is said of a failure.
        while (!(await EventsAsync(node, token)).Contains(refused, StringComparison.Ordinal)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);

        var said = new List<string>(logs.Lines);
        var checks = await node.Plane.Admin.CustomObjects.ListClusterCustomObjectAsync<JsonElement>(OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, cancellationToken: token);
        said.Add(checks.GetRawText());
        said.Add(await EventsAsync(node, token));
        said.Add(JsonSerializer.Serialize((await node.Plane.Admin.CoreV1.ListNamespacedConfigMapAsync(node.Namespace, cancellationToken: token)).Items));
        said.Add(JsonSerializer.Serialize(await node.Plane.Admin.CoreV1.ReadNodeAsync(node.NodeName, cancellationToken: token)));
        using (var client = new HttpClient())
        {
            var address = node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
            said.Add(await client.GetStringAsync(address + "/metrics", token));
        }

        await node.StopAsync();
        said.AddRange(TestFiles.Tree(node.ModelsRoot).Where(file => !file.Key.EndsWith(".safetensors", StringComparison.Ordinal)).Select(file => file.Key + System.Text.Encoding.UTF8.GetString(file.Value)));

        logs.Lines.Should().HaveCountGreaterThan(10);
        said.Should().NotContain(text => text.Contains(Planted, StringComparison.OrdinalIgnoreCase));
        said.Should().NotContain(text => text.Contains("Bearer hf", StringComparison.OrdinalIgnoreCase));
        hub.Requests.Should().Contain(request => request.Contains("/lfs/", StringComparison.Ordinal), "signed addresses were followed");
        hub.LeakedAuthorizations.Should().BeEmpty();
    }

    private static async Task<string> EventsAsync(AgentFixture node, CancellationToken token) =>
        JsonSerializer.Serialize((await node.Plane.Admin.CoreV1.ListEventForAllNamespacesAsync(cancellationToken: token)).Items);

    private static Task SecretAsync(AgentFixture node, string name, string value, CancellationToken token) => node.Plane.Admin.CoreV1.CreateNamespacedSecretAsync(
        new V1Secret { Metadata = new V1ObjectMeta { Name = name }, Data = new Dictionary<string, byte[]> { ["token"] = System.Text.Encoding.UTF8.GetBytes(value) } }, node.Namespace, cancellationToken: token);

    private static async Task ApplyAsync(AgentFixture node, string model, string secret, CancellationToken token)
    {
        await node.Plane.Admin.CoreV1.PatchNodeAsync(
            new V1Patch(new { metadata = new { labels = new Dictionary<string, string> { ["own"] = node.NodeName } } }, V1Patch.PatchType.MergePatch), node.NodeName, cancellationToken: token);
        var storage = new ModelStorage
        {
            StorageUri = "hf://demo/tiny",
            Path = Path.Combine(node.ModelsRoot, model),
            Key = secret,
            NodeSelector = new Dictionary<string, string>(StringComparer.Ordinal) { ["own"] = node.NodeName },
        };
        await node.Plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ClusterBaseModel>(
            new ClusterBaseModel { Metadata = new V1ObjectMeta { Name = model }, Spec = new BaseModelSpec { Storage = storage } },
            OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: token);
    }
}
