using System.Text.Json;
using k8s;
using k8s.Models;
using Microsoft.Extensions.DependencyInjection;
using Ome.Agent.Staging.Oci;
using Ome.Agent.Staging.S3;
using Ome.LocalCluster.Fakes;
using Ome.Shared.Domain.Reporting;
using Ome.Tests.Support;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Agent.Host;

/// <summary>The rows of contract 10.8 that take a whole agent: what its entry says of a model whose files or source are so.</summary>
[Parallelizable]
public sealed class ContractModelTests
{
    private const string Table = "contract/agent.json";

    /// <summary>Whatever the configuration is, the model is Ready; what cannot be read of it is left out.</summary>
    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "model" }), CancelAfter(180_000)]
    public async Task A_model_is_Ready_with_what_its_configuration_says(JsonElement row, CancellationToken token)
    {
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        var directory = Directory.CreateDirectory(Path.Combine(node.ModelsRoot, "model")).FullName;
        foreach (var file in row.GetProperty("files").EnumerateObject())
        {
            var path = Path.Combine(directory, file.Name);
            await File.WriteAllTextAsync(path, file.Value.ValueKind == JsonValueKind.String ? file.Value.GetString() : file.Value.GetRawText(), token);
            // Long there, and not half of a copy.
            File.SetLastWriteTimeUtc(path, new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        }

        await node.StartAsync(cancellationToken: token);
        var model = "row-" + node.NodeName;
        await node.ApplyClusterModelAsync(model, "local://" + directory, null, token, Pairs(row, "annotations"));
        await node.WaitForAsync(model, NodeModelState.Ready, token);

        var config = (await node.EntryAsync(model))!.Config;
        (config?.ModelCapabilities is { Count: > 0 } capabilities ? string.Join(',', capabilities) : null).Should().Be(row.Text("want"));
        if (row.Text("want") is null) (config?.ModelType ?? "").Should().BeEmpty();
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "store" }), CancelAfter(180_000)]
    public async Task A_source_that_can_give_nothing_fails_with_its_reason(JsonElement row, CancellationToken token)
    {
        await using var store = await FakeObjectStore.StartAsync(cancellationToken: token);
        store.Callers.Instance = new InstanceIdentity("ocid1.tenancy.fake", TimeProvider.System.GetUtcNow());
        store.Put("models", "org/other/config.json", "{}"u8.ToArray());
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await SecretAsync(node, "aws", new() { ["accessKeyId"] = "AKIDFAKE", ["secretAccessKey"] = "a-secret" }, token);
        await node.StartAsync(
            null,
            services =>
            {
                services.Configure<OciOptions>(oci => (oci.Endpoint, oci.MetadataEndpoint, oci.AuthEndpoint) = (store.Endpoint, store.Endpoint + "/opc/v2/", store.Endpoint));
                services.Configure<S3Options>(s3 => s3.Endpoint = store.S3Endpoint);
            },
            token);
        var (model, uri) = ("row-" + node.NodeName, row.Text("uri")!);

        await node.ApplyClusterModelAsync(
            model, uri, Path.Combine(node.ModelsRoot, "model"), token, secret: uri.StartsWith("s3", StringComparison.Ordinal) ? "aws" : null, parameters: Pairs(row, "parameters"));
        await node.WaitForAsync(model, NodeModelState.Failed, token);

        var told = (await node.EntryAsync(model))!.Validation!;
        told.Reason.Should().Be(row.Text("reason"));
        told.Message.Should().Contain(row.Text("says"));
    }

    [TestCaseSource(typeof(CaseTable), nameof(CaseTable.Rows), new object?[] { Table, "limited" }), CancelAfter(180_000)]
    public async Task A_hub_that_says_when_to_come_back_keeps_the_model_Updating_with_the_reason(JsonElement row, CancellationToken token)
    {
        await using var hub = await FakeHub.StartAsync(cancellationToken: token);
        hub.Faults.Add(new HubFault(HubFaultKind.Status, Times: 1000, Status: 429, RetryAfterSeconds: row.GetProperty("retryAfter").GetInt32()));
        await using var node = await AgentFixture.CreateAsync(await ControlPlanes.SharedAsync(token), token);
        await node.StartAsync(options => options.HubEndpoint = hub.Endpoint, token);
        var model = "row-" + node.NodeName;

        await node.ApplyClusterModelAsync(model, "hf://demo/tiny", Path.Combine(node.ModelsRoot, "tiny"), token);

        while ((await node.EntryAsync(model))?.Validation?.Reason != row.Text("reason")) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, token);
        (await node.EntryAsync(model))!.Status.Should().Be("Updating");
        (await node.LabelAsync(model)).Should().Be("Updating");
    }

    private static Task SecretAsync(AgentFixture node, string name, Dictionary<string, string> data, CancellationToken token) =>
        node.Plane.Admin.CoreV1.CreateNamespacedSecretAsync(new V1Secret { Metadata = new V1ObjectMeta { Name = name }, StringData = data }, node.Namespace, cancellationToken: token);

    private static Dictionary<string, string>? Pairs(JsonElement row, string member) =>
        row.TryGetProperty(member, out var pairs) ? pairs.Deserialize<Dictionary<string, string>>() : null;
}
