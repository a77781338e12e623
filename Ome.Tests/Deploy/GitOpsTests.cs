using System.Text.RegularExpressions;
using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>docs/gitops: the examples name what there is, and the values in them are ones the chart takes.</summary>
public sealed partial class GitOpsTests
{
    [TestCase("docs/gitops/flux.yaml", "GitRepository HelmRelease Kustomization")]
    [TestCase("docs/gitops/argocd.yaml", "Application Application ConfigMap")]
    public void An_example_is_whole(string file, string kinds) => string.Join(' ', Manifest.InFile(file).Select(one => one.Kind)).Should().Be(kinds);

    [Test, CancelAfter(180_000)]
    public async Task The_chart_takes_the_values_of_the_examples(CancellationToken token)
    {
        var flux = Manifest.InFile("docs/gitops/flux.yaml").Single(one => one.Kind == "HelmRelease").Json["spec"]!;
        var argo = Manifest.InFile("docs/gitops/argocd.yaml").First(one => one.Name == "ome").Json["spec"]!["source"]!;

        ((string?)flux["chart"]!["spec"]!["chart"]).Should().Be(Rendering.Chart);
        ((string?)argo["path"]).Should().Be(Rendering.Chart);
        using var files = new TempDirectory();
        foreach (var values in new[] { flux["values"]!, argo["helm"]!["valuesObject"]! })
        {
            await File.WriteAllTextAsync(files["values.yaml"], values.ToJsonString(), token);
            (await Rendering.HelmAsync(token, "--values", files["values.yaml"])).Should().Contain(one => one.Name == "ome-model-agent-secrets");
        }
    }

    [Test]
    public void Health_is_judged_by_members_the_status_has()
    {
        var status = Manifest.InFile("config/crd/ome.io_clusterbasemodels.yaml").Single().Json["spec"]!["versions"]![0]!["schema"]!["openAPIV3Schema"]!["properties"]!["status"]!["properties"]!.AsObject();
        var flux = Manifest.InFile("docs/gitops/flux.yaml")[^1].Json["spec"]!["healthCheckExprs"]!.AsArray();
        var argo = Manifest.InFile("docs/gitops/argocd.yaml")[^1].Json["data"]!.AsObject();

        foreach (var text in flux.Select(rules => rules!.ToJsonString()).Concat(argo.Select(script => (string)script.Value!)))
        {
            var members = Member().Matches(text).Select(match => match.Groups["name"].Value).ToHashSet();
            members.Should().Contain("state").And.BeSubsetOf(status.Select(member => member.Key));
            text.Should().Contain("ArtifactsIntact");
        }
        argo.Select(script => script.Key).Should().BeEquivalentTo("resource.customizations.health.ome.io_ClusterBaseModel", "resource.customizations.health.ome.io_BaseModel");
        flux.Select(rules => (string)rules!["kind"]!).Should().Equal("ClusterBaseModel", "BaseModel");
    }

    [GeneratedRegex(@"\bstatus\.(?<name>[a-zA-Z]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Member();
}
