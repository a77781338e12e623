using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Ome.Shared.Api;
using Ome.Shared.Domain;
using Ome.Tests.Architecture;
using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.Manifests;

/// <summary>The committed CRDs on an API server: in-process, or a real one when KUBEBUILDER_ASSETS names it.</summary>
public sealed class CrdServerTests
{
    private const int Limit = 120_000;

    private ITestControlPlane _plane = null!;

    [OneTimeSetUp, CancelAfter(Limit)]
    public async Task InstallAsync()
    {
        _plane = await ControlPlanes.SharedAsync(CancellationToken.None);
        await _plane.InstallCrdsAsync(Path.Combine(RepositoryTests.RepositoryRoot(), "config", "crd"), CancellationToken.None);
    }

    [TestCase(BaseModel.Plural)]
    [TestCase(ClusterBaseModel.Plural)]
    [TestCase(ModelIntegrityCheck.Plural)]
    [CancelAfter(Limit)]
    public async Task The_crd_is_established_and_its_schema_is_structural(string plural, CancellationToken cancellationToken)
    {
        var crd = await _plane.Admin.ApiextensionsV1.ReadCustomResourceDefinitionAsync($"{plural}.{OmeNames.Group}", cancellationToken: cancellationToken);

        var conditions = crd.Status.Conditions.ToDictionary(condition => condition.Type, condition => condition.Status);
        conditions.Should().Contain("Established", "True").And.Contain("NamesAccepted", "True");
        conditions.Should().NotContainKeys("NonStructuralSchema", "Terminating", "KubernetesAPIApprovalPolicyConformant");
    }

    [TestCaseSource(nameof(Objects))]
    [CancelAfter(Limit)]
    public async Task An_object_valid_under_OMEs_own_crd_comes_back_with_no_field_lost(string file, CancellationToken cancellationToken)
    {
        var sent = JsonNode.Parse(Support.Golden.ReadFile(Path.Combine("Ome.Tests", "Cases", "ome-objects", file)))!.AsObject();
        var name = (string)sent["metadata"]!["name"]!;

        await DeleteAsync(ClusterBaseModel.Plural, name, cancellationToken);
        await _plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<JsonObject>(sent, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
        if (sent["status"] is { } status)
        {
            var patch = new V1Patch(new JsonObject { ["status"] = status.DeepClone() }.ToJsonString(), V1Patch.PatchType.MergePatch);
            await _plane.Admin.CustomObjects.PatchClusterCustomObjectStatusAsync<JsonObject>(patch, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, name, cancellationToken: cancellationToken);
        }

        var back = await _plane.Admin.CustomObjects.GetClusterCustomObjectAsync<JsonObject>(OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, name, cancellationToken: cancellationToken);
        Missing(sent, back, "").Should().BeEmpty();
        await DeleteAsync(ClusterBaseModel.Plural, name, cancellationToken);
    }

    [Test, CancelAfter(Limit)]
    public async Task Defaults_are_filled_in_and_nulls_and_unknown_fields_pruned_as_under_OMEs_crd(CancellationToken cancellationToken)
    {
        var made = await CreateAsync(
            """{"modelFormat":{"name":"x"},"modelType":null,"unknown":1,"storage":{"storageUri":"hf://a/b","storageKey":"wrong name","nodeAffinity":null}}""", "defaults", cancellationToken);

        Support.Golden.CanonicalJson(made["spec"]!.ToJsonString()).Should().Be(
            Support.Golden.CanonicalJson("""{"modelFormat":{"name":"x","operator":"Equal","weight":1},"storage":{"storageUri":"hf://a/b"}}"""));
        await DeleteAsync(ClusterBaseModel.Plural, "defaults", cancellationToken);
    }

    [TestCase("""{"storage":{}}""", "spec.storage.storageUri")]
    [TestCase("""{}""", "spec.storage")]
    [TestCase("""{"modelFormat":{"version":"1"},"storage":{"storageUri":"hf://a/b"}}""", "spec.modelFormat.name")]
    [TestCase("""{"storage":{"storageUri":"hf://a/b","downloadPolicy":"Never"}}""", "spec.storage.downloadPolicy")]
    [TestCase("""{"maxTokens":"many","storage":{"storageUri":"hf://a/b"}}""", "spec.maxTokens")]
    [CancelAfter(Limit)]
    public async Task What_OMEs_crd_refuses_is_refused_with_the_field_named(string spec, string field, CancellationToken cancellationToken)
    {
        var refused = await FluentActions.Awaiting(() => CreateAsync(spec, "refused", cancellationToken)).Should().ThrowAsync<HttpOperationException>();

        refused.Which.Response.StatusCode.Should().Be(HttpStatusCode.UnprocessableEntity);
        refused.Which.Response.Content.Should().Contain(field);
    }

    [Test, CancelAfter(Limit)]
    public async Task A_status_without_state_or_with_an_unknown_one_is_refused(CancellationToken cancellationToken)
    {
        await CreateAsync("""{"storage":{"storageUri":"hf://a/b"}}""", "stateless", cancellationToken);
        foreach (var status in new[] { """{"status":{"nodesReady":["a"]}}""", """{"status":{"state":"Perfect"}}""" })
        {
            var patch = new V1Patch(status, V1Patch.PatchType.MergePatch);
            var refused = await FluentActions.Awaiting(() => _plane.Admin.CustomObjects.PatchClusterCustomObjectStatusAsync<JsonObject>(
                patch, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, "stateless", cancellationToken: cancellationToken)).Should().ThrowAsync<HttpOperationException>();
            refused.Which.Response.Content.Should().Contain("status.state");
        }
        await DeleteAsync(ClusterBaseModel.Plural, "stateless", cancellationToken);
    }

    [TestCase(ClusterBaseModel.Plural, "Name Disabled Version Vendor Framework FrameworkVersion ModelFormat Architecture Capabilities Size CompartmentID Ready Age", "Nodes Intact Damaged Proven")]
    [TestCase(BaseModel.Plural, "Name Disabled Version Vendor Framework FrameworkVersion ModelFormat Architecture Capabilities Size CompartmentID Ready Age", "Nodes Intact Damaged Proven")]
    [TestCase(ModelIntegrityCheck.Plural, "Name Node Model Result Reason Checked Deep Age", "Namespace Proven File Message")]
    [CancelAfter(Limit)]
    public async Task Kubectl_get_shows_the_columns_in_order(string plural, string columns, string wide, CancellationToken cancellationToken)
    {
        var table = await GetAsync($"apis/ome.io/v1beta1/{plural}", "application/json;as=Table;v=v1;g=meta.k8s.io", cancellationToken);

        var shown = table["columnDefinitions"]!.AsArray().ToLookup(column => (int)column!["priority"]!, column => (string)column!["name"]!);
        string.Join(' ', shown[0]).Should().Be(columns);
        string.Join(' ', shown[1]).Should().Be(wide);
    }

    [Test, CancelAfter(Limit)]
    public async Task Kubectl_explain_shows_descriptions(CancellationToken cancellationToken)
    {
        JsonNode? schema = null;
        while (schema is null)
        {
            // The server publishes the schema of a new CRD a moment after it serves it.
            var api = await GetAsync("openapi/v3/apis/ome.io/v1beta1", "application/json", cancellationToken);
            schema = api["components"]?["schemas"]?["io.ome.v1beta1.ClusterBaseModel"];
            if (schema is null) await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, cancellationToken);
        }

        ((string)schema["properties"]!["spec"]!["properties"]!["storage"]!["properties"]!["path"]!["description"]!).Should().StartWith("Absolute directory");
    }

    [Test, CancelAfter(Limit)]
    public async Task The_node_and_model_of_a_check_never_change(CancellationToken cancellationToken)
    {
        await DeleteAsync(ModelIntegrityCheck.Plural, "n1.m", cancellationToken);
        var check = new ModelIntegrityCheck
        {
            Metadata = new() { Name = "n1.m" },
            Spec = new() { NodeName = "n1", ModelRef = new() { Kind = "ClusterBaseModel", Name = "m", Uid = "u" }, Mode = CheckModes.Basic, Interval = "1h30m", DeepMaxAge = "7d" },
        };
        await _plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<ModelIntegrityCheck>(check, OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, cancellationToken: cancellationToken);

        await RefusedAsync("""{"spec":{"nodeName":"n2"}}""", "nodeName is immutable");
        await RefusedAsync("""{"spec":{"modelRef":{"uid":"other"}}}""", "modelRef is immutable");
        await RefusedAsync("""{"spec":{"interval":"soon"}}""", "spec.interval");
        await RefusedAsync("""{"spec":{"onDamage":"Explode"}}""", "spec.onDamage");
        await PatchAsync("""{"spec":{"requestedAt":"2026-05-06T12:00:00Z","mode":"Deep"}}""");
        await DeleteAsync(ModelIntegrityCheck.Plural, "n1.m", cancellationToken);

        Task PatchAsync(string patch) => _plane.Admin.CustomObjects.PatchClusterCustomObjectAsync<JsonObject>(
            new V1Patch(patch, V1Patch.PatchType.MergePatch), OmeNames.Group, OmeNames.Version, ModelIntegrityCheck.Plural, "n1.m", cancellationToken: cancellationToken);

        async Task RefusedAsync(string patch, string text) =>
            (await FluentActions.Awaiting(() => PatchAsync(patch)).Should().ThrowAsync<HttpOperationException>()).Which.Response.Content.Should().Contain(text);
    }

    private static IEnumerable<string> Objects() =>
        Directory.EnumerateFiles(Path.Combine(RepositoryTests.RepositoryRoot(), "Ome.Tests", "Cases", "ome-objects"), "*.json").Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);

    /// <summary>Paths of <paramref name="sent"/> that <paramref name="back"/> lacks or has otherwise.</summary>
    private static IEnumerable<string> Missing(JsonNode? sent, JsonNode? back, string path) => sent switch
    {
        JsonObject map => map.SelectMany(pair => Missing(pair.Value, (back as JsonObject)?[pair.Key], $"{path}.{pair.Key}")),
        JsonArray list when (back as JsonArray)?.Count == list.Count => list.SelectMany((item, i) => Missing(item, back![i], $"{path}[{i}]")),
        _ => JsonNode.DeepEquals(sent, back) ? [] : [$"{path}: sent {sent?.ToJsonString()}, came back {back?.ToJsonString()}"],
    };

    private Task<JsonObject> CreateAsync(string spec, string name, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["apiVersion"] = "ome.io/v1beta1",
            ["kind"] = ClusterBaseModel.KindName,
            ["metadata"] = new JsonObject { ["name"] = name },
            ["spec"] = JsonNode.Parse(spec),
        };
        return _plane.Admin.CustomObjects.CreateClusterCustomObjectAsync<JsonObject>(body, OmeNames.Group, OmeNames.Version, ClusterBaseModel.Plural, cancellationToken: cancellationToken);
    }

    private async Task DeleteAsync(string plural, string name, CancellationToken cancellationToken)
    {
        try
        {
            await _plane.Admin.CustomObjects.DeleteClusterCustomObjectAsync<JsonObject>(OmeNames.Group, OmeNames.Version, plural, name, cancellationToken: cancellationToken);
        }
        catch (HttpOperationException gone) when (gone.Response.StatusCode == HttpStatusCode.NotFound)
        {
            // That is what was wanted.
        }
    }

    private async Task<JsonObject> GetAsync(string path, string accept, CancellationToken cancellationToken)
    {
        var client = (Kubernetes)_plane.Admin;
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(client.BaseUri, path));
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(accept));
        await client.Credentials.ProcessHttpRequestAsync(request, cancellationToken);
        using var response = await client.HttpClient.SendAsync(request, cancellationToken);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken))!.AsObject();
    }
}
