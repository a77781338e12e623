using Ome.Tests.Support;

namespace Ome.Tests.Deploy;

/// <summary>
/// What is applied to a cluster, written down so that a change of it is read: each folder of config that people apply, and the chart. CRDs and
/// dashboards are left out, they are held to their sources elsewhere. Order and style carry no meaning.
/// </summary>
[Category("Rendered")]
public sealed class GoldenTests
{
    [TestCaseSource(typeof(Rendering), nameof(Rendering.Folders))]
    [CancelAfter(180_000)]
    public async Task A_folder_renders_to_what_was_read(string folder, CancellationToken token) =>
        Match(await Rendering.KustomizeTextAsync(folder, token), $"kustomize-{folder.Replace('/', '-')}.yaml");

    [Test, CancelAfter(180_000)]
    public async Task The_chart_renders_to_what_was_read(CancellationToken token) =>
        Match(await Rendering.HelmTextAsync(token), "helm-default.yaml");

    [Test, CancelAfter(180_000)]
    public async Task The_chart_with_every_value_changed_renders_to_what_was_read(CancellationToken token) =>
        Match(await Rendering.HelmTextAsync(token, "--values", Rendering.FullValues), "helm-full.yaml");

    private static void Match(string yaml, string name) =>
        Golden.MatchFile(string.Join("---\n", Documents(yaml)), "Ome.Tests/Cases/deploy/" + name, Meaning);

    private static IEnumerable<string> Documents(string yaml) =>
        from document in Golden.Normalize(yaml).Split("---\n", StringSplitOptions.RemoveEmptyEntries)
        let text = string.Join('\n', document.TrimEnd('\n').Split('\n').Where(line => !line.StartsWith('#'))) + "\n"
        where text.Trim().Length > 0 && !text.Contains("\nkind: CustomResourceDefinition\n", StringComparison.Ordinal) && !text.Contains("\n  name: ome-dashboards\n", StringComparison.Ordinal)
        select text;

    private static string Meaning(string yaml) =>
        string.Join("\n", Manifest.Parse(yaml).OrderBy(one => one.Id, StringComparer.Ordinal).Select(one => one.ToString()));
}
