namespace Ome.Tests.LocalCluster.Conformance;

/// <summary>CRDs that are refused.</summary>
public sealed class CrdBadInputTests : ConformanceTest
{
    private const string Crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

    [TestCase("\"scope\":\"Namespaced\"", "\"scope\":\"Galaxy\"", "spec.scope")]
    [TestCase("\"storage\":true", "\"storage\":false", "spec.versions")]
    [TestCase("\"schema\":{\"openAPIV3Schema\"", "\"schemaless\":{\"openAPIV3Schema\"", "spec.versions[0].schema.openAPIV3Schema")]
    [CancelAfter(120_000)]
    public async Task A_CRD_that_cannot_be_served_is_refused_by_field(string from, string to, string field, CancellationToken ct)
    {
        var crd = new CustomResources($"{Namespace}.example.com").Crd.Replace(from, to, StringComparison.Ordinal);

        (await Api.PostAsync(Crds, crd, ct)).Refused(422, "Invalid").CauseFields.Should().Contain(field);
    }

    [Test, CancelAfter(120_000)]
    public async Task A_CRD_is_named_after_its_plural_and_group(CancellationToken ct)
    {
        var crd = new CustomResources($"{Namespace}.example.com").Crd.Replace("\"name\":\"gauges.", "\"name\":\"other.", StringComparison.Ordinal);

        (await Api.PostAsync(Crds, crd, ct)).Refused(422, "Invalid").CauseFields.Should().Contain("metadata.name");
    }
}
