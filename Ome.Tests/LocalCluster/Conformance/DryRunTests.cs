using Ome.Tests.Support.ControlPlanes;

namespace Ome.Tests.LocalCluster.Conformance;

/// <summary><c>dryRun=All</c>: the answer of the real thing, and nothing happens.</summary>
public sealed class DryRunTests : ConformanceTest
{
    [Test, CancelAfter(120_000)]
    public async Task Nothing_is_created(CancellationToken ct)
    {
        var answer = (await Api.PostAsync($"{ConfigMaps}?dryRun=All", ConfigMap("a"), ct)).Expect(201);

        ((string?)answer.Metadata["uid"]).Should().NotBeNullOrEmpty();
        (await Api.GetAsync($"{ConfigMaps}/a", ct)).Refused(404, "NotFound");
    }

    [Test, CancelAfter(120_000)]
    public async Task Nothing_is_changed_or_deleted(CancellationToken ct)
    {
        var created = await CreateAsync("a", ct);

        var put = (await Api.PutAsync($"{ConfigMaps}/a?dryRun=All", ConfigMap("a", "2"), ct)).Expect(200);
        var patched = (await Api.PatchAsync($"{ConfigMaps}/a?dryRun=All&fieldManager=x&force=true", RawApi.ApplyPatch, ConfigMap("a", "3"), ct)).Expect(200);
        (await Api.DeleteAsync($"{ConfigMaps}/a?dryRun=All", ct)).Expect(200);

        ((string?)put.Json["data"]!["k"]).Should().Be("2");
        ((string?)patched.Json["data"]!["k"]).Should().Be("3");
        (await Api.GetAsync($"{ConfigMaps}/a", ct)).ResourceVersion.Should().Be(created.ResourceVersion);
    }

    [Test, CancelAfter(120_000)]
    public async Task What_would_be_refused_is_refused(CancellationToken ct)
    {
        await CreateAsync("a", ct);

        (await Api.PostAsync($"{ConfigMaps}?dryRun=All", ConfigMap("a"), ct)).Refused(409, "AlreadyExists");
        (await Api.PostAsync($"{ConfigMaps}?dryRun=All", ConfigMap("B_"), ct)).Refused(422, "Invalid");
        (await Api.PostAsync($"{ConfigMaps}?dryRun=Some", ConfigMap("c"), ct)).Code.Should().BeOneOf(400, 422);
    }
}
