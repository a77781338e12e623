using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>What is refused, and with which Status.</summary>
public sealed class BadInputTests : ConformanceTest
{
    [TestCase("/apis/nobody.example.com/v1/things")]
    [TestCase("/api/v1/things")]
    [TestCase("/api/v9/configmaps")]
    [TestCase("/nothing")]
    [CancelAfter(120_000)]
    public async Task An_unknown_path_is_404(string path, CancellationToken ct) => (await Api.GetAsync(path, ct)).Code.Should().Be(404);

    [TestCase("{\"metadata\":", "application/json")]
    [TestCase("[1,2]", "application/json")]
    [TestCase("metadata: [a\n", "application/yaml")]
    [TestCase("{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":1}}", "application/json")]
    [TestCase("{\"metadata\":{\"name\":\"a\",\"labels\":{\"k\":1}}}", "application/json")]
    [TestCase("{\"apiVersion\":\"v2\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"a\"}}", "application/json")]
    [TestCase("{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"a\"}}", "application/json")]
    [TestCase("{\"metadata\":{\"name\":\"a\",\"namespace\":\"elsewhere\"}}", "application/json")]
    [CancelAfter(120_000)]
    public async Task A_body_that_is_no_such_object_is_BadRequest(string body, string type, CancellationToken ct) =>
        (await Api.PostAsync(ConfigMaps, body, ct, type)).Refused(400, "BadRequest");

    [TestCase("{\"metadata\":{\"name\":\"Not_A_Name\"}}", "metadata.name")]
    [TestCase("{\"metadata\":{}}", "metadata.name")]
    [TestCase("{\"metadata\":{\"name\":\"a\",\"labels\":{\"k\":\"not a value\"}}}", "metadata.labels")]
    [TestCase("{\"metadata\":{\"name\":\"a\",\"labels\":{\"-k\":\"v\"}}}", "metadata.labels")]
    [TestCase("{\"metadata\":{\"name\":\"a\",\"annotations\":{\"a/b/c\":\"v\"}}}", "metadata.annotations")]
    [TestCase("{\"metadata\":{\"name\":\"a\"},\"data\":{\"no/slash\":\"v\"}}", "data[no/slash]")]
    [TestCase("{\"metadata\":{\"name\":\"a\",\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":\"n\"}]}}", "metadata.ownerReferences.uid")]
    [CancelAfter(120_000)]
    public async Task An_invalid_field_is_named_in_a_422(string body, string field, CancellationToken ct) =>
        (await Api.PostAsync(ConfigMaps, body, ct)).Refused(422, "Invalid").CauseFields.Should().Contain(field);

    [Test, CancelAfter(120_000)]
    public async Task All_invalid_fields_are_named_at_once(CancellationToken ct)
    {
        const string Body = """{"metadata":{"name":"UPPER","labels":{"k":"not a value"}},"data":{"a/b":"v"}}""";

        var refused = (await Api.PostAsync(ConfigMaps, Body, ct)).Refused(422, "Invalid");

        refused.CauseFields.Should().BeEquivalentTo("metadata.name", "metadata.labels", "data[a/b]");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_label_value_of_64_characters_is_too_long(CancellationToken ct)
    {
        (await Api.PostAsync(ConfigMaps, ConfigMap("fits", metadata: $$""","labels":{"k":"{{new string('v', 63)}}"}"""), ct)).Expect(201);
        (await Api.PostAsync(ConfigMaps, ConfigMap("not", metadata: $$""","labels":{"k":"{{new string('v', 64)}}"}"""), ct)).Refused(422, "Invalid");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_ConfigMap_of_more_than_a_mebibyte_is_refused(CancellationToken ct)
    {
        (await Api.PostAsync(ConfigMaps, ConfigMap("a", new string('x', (1 << 20) + 1)), ct)).Refused(422, "Invalid");
        (await Api.PostAsync(ConfigMaps, ConfigMap("b", new string('x', 4 << 20)), ct)).Code.Should().Be(413);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_method_that_is_not_offered_is_405(CancellationToken ct)
    {
        (await Api.PostAsync($"{ConfigMaps}/a", ConfigMap("a"), ct)).Refused(405, "MethodNotAllowed");
        (await Api.PutAsync(ConfigMaps, ConfigMap("a"), ct)).Refused(405, "MethodNotAllowed");
    }

    [Test, CancelAfter(120_000)]
    public async Task A_patch_of_an_unknown_format_is_415(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        (await Api.PatchAsync($"{ConfigMaps}/a", "application/json", "{}", ct)).Refused(415, "UnsupportedMediaType");
    }

    [Test, CancelAfter(120_000)]
    public async Task An_unsupported_answer_format_is_406(CancellationToken ct) =>
        (await Api.GetAsync(ConfigMaps, ct, "application/xml")).Refused(406, "NotAcceptable");

    [Test, CancelAfter(120_000)]
    public async Task A_wrong_token_is_401_and_health_needs_none(CancellationToken ct)
    {
        using var stranger = new RawApi(Plane.Configuration, "wrong");

        (await stranger.GetAsync(ConfigMaps, ct)).Refused(401, "Unauthorized");
        using var nobody = new RawApi(Without(Plane));
        foreach (var path in new[] { "/healthz", "/readyz", "/livez" }) (await nobody.GetAsync(path, ct, "*/*")).Expect(200).Text.Should().Be("ok");
        (await nobody.GetAsync("/version", ct)).Expect(200).Json["gitVersion"].Should().NotBeNull();
    }

    [TestCase("labelSelector=a%20b")]
    [TestCase("labelSelector=a%20in%20b")]
    [TestCase("fieldSelector=data.k%3D1")]
    [TestCase("fieldSelector=nonsense")]
    [TestCase("continue=abc")]
    [CancelAfter(120_000)]
    public async Task A_malformed_query_is_BadRequest(string query, CancellationToken ct) => (await Api.GetAsync($"{ConfigMaps}?{query}", ct)).Refused(400, "BadRequest");

    // kube-apiserver 1.26 calls it an error of its own; either way the value is named.
    [Test, CancelAfter(120_000)]
    public async Task A_resourceVersion_that_is_none_is_refused_by_value(CancellationToken ct)
    {
        var answer = await Api.GetAsync($"{ConfigMaps}?resourceVersion=abc", ct);

        answer.Code.Should().BeOneOf(400, 500);
        answer.Text.Should().Contain("abc");
    }

    private static k8s.KubernetesClientConfiguration Without(ITestControlPlane plane)
    {
        var configuration = plane.Configuration;
        configuration.AccessToken = null;
        return configuration;
    }
}
