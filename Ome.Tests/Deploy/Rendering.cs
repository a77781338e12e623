using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>What people apply, as objects: from a kustomize folder or from the chart. Offline.</summary>
internal static class Rendering
{
    public const string Chart = "charts/ome";
    public const string FullValues = "Ome.Tests/Cases/deploy/full-values.yaml";

    /// <summary>Everything that runs pods: each folder people apply, and the chart as it is and with every value changed.</summary>
    public static readonly string[] Deployments = ["default", "overlays/gpu-nodes", "overlays/minimal", "chart", "full chart"];

    public static async Task<IReadOnlyList<Manifest>> DeploymentAsync(string name, CancellationToken cancellationToken) => name switch
    {
        "chart" => await HelmAsync(cancellationToken),
        "full chart" => await HelmAsync(cancellationToken, "--values", FullValues),
        _ => Manifest.Parse(await KustomizeTextAsync(name, cancellationToken)),
    };

    public static async Task<string> KustomizeTextAsync(string folder, CancellationToken cancellationToken) =>
        (await Tool.RunAsync("kubectl", cancellationToken, "kustomize", "config/" + folder)).Succeeded();

    public static async Task<string> HelmTextAsync(CancellationToken cancellationToken, params string[] arguments) =>
        (await HelmRunAsync(cancellationToken, arguments)).Succeeded();

    public static async Task<IReadOnlyList<Manifest>> HelmAsync(CancellationToken cancellationToken, params string[] arguments) =>
        Manifest.Parse(await HelmTextAsync(cancellationToken, arguments));

    public static Task<ToolResult> HelmRunAsync(CancellationToken cancellationToken, params string[] arguments) =>
        Tool.RunAsync("helm", cancellationToken, ["template", "ome", Chart, "--namespace", "ome", .. arguments]);

    private static readonly string[] PartsOfDefault = ["namespace", "crd", "rbac", "operator", "agent"];

    /// <summary>Folders of config that people apply, without the parts of <c>default</c>.</summary>
    public static IEnumerable<string> Folders()
    {
        var config = Path.Combine(RepositoryTests.RepositoryRoot(), "config");
        return Directory.EnumerateFiles(config, "kustomization.yaml", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(config, Path.GetDirectoryName(file)!)).Except(PartsOfDefault).Order(StringComparer.Ordinal);
    }
}
