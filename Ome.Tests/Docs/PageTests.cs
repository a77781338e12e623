using System.Text.RegularExpressions;
using Ome.Tests.Architecture;
using Ome.Tests.Monitoring;
using Ome.Tests.Support;

namespace Ome.Tests.Docs;

/// <summary>What pages name is there: files, headings, make targets, metrics, folders that are applied.</summary>
public sealed partial class PageTests
{
    private static IEnumerable<string> Pages() => Markdown.All.Select(static page => page.Path);

    private static string Root => RepositoryTests.RepositoryRoot();

    [TestCaseSource(nameof(Pages))]
    public void Every_link_leads_somewhere(string path)
    {
        foreach (var link in Markdown.Read(path).Links.Where(static link => !link.Contains("://", StringComparison.Ordinal)))
        {
            var (file, anchor) = link.Split('#') is [var before, var after] ? (before, after) : (link, "");
            var target = file.Length == 0 ? path : Path.GetRelativePath(Root, Path.GetFullPath(Path.Combine(Root, Path.GetDirectoryName(path)!, file)));
            (File.Exists(Path.Combine(Root, target)) || Directory.Exists(Path.Combine(Root, target))).Should().BeTrue("{0} links to {1}", path, link);
            if (anchor.Length > 0) Markdown.Read(target).Anchors.Should().Contain(anchor, "{0} links to {1}", path, link);
        }
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_path_that_is_named_exists(string path)
    {
        var named = Markdown.Read(path).CodeSpans.SelectMany(static span => RepositoryPath().Matches(span)).Select(static match => match.Value.TrimEnd('.', '/')).Distinct();

        named.Where(static file => !File.Exists(Path.Combine(Root, file)) && !Directory.Exists(Path.Combine(Root, file))).Should().BeEmpty();
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_make_target_that_is_named_exists(string path)
    {
        var page = Markdown.Read(path);
        var targets = MakeTarget().Matches(Golden.ReadFile("Makefile")).Select(static target => target.Groups["target"].Value).ToHashSet(StringComparer.Ordinal);
        var named = page.CodeSpans.Concat(page.CodeLines).SelectMany(static code => MakeCall().Matches(code)).Select(static call => call.Groups["target"].Value);

        named.Except(targets).Should().BeEmpty();
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_metric_that_is_named_is_exported(string path)
    {
        var page = Markdown.Read(path);
        var known = ExportedMetrics.Agent.Concat(ExportedMetrics.Operator).SelectMany(static metric => metric.Series.Append(metric.Name)).ToHashSet(StringComparer.Ordinal);
        var named = page.CodeSpans.Concat(page.CodeLines).SelectMany(static code => MetricName().Matches(code)).Select(static name => name.Value);

        named.Except(known).Should().BeEmpty();
    }

    [TestCaseSource(nameof(Pages))]
    public void Every_folder_that_is_applied_can_be(string path)
    {
        var page = Markdown.Read(path);
        foreach (var applied in page.CodeSpans.Concat(page.CodeLines).SelectMany(static code => Applied().Matches(code)).Select(static match => (Flag: match.Groups["flag"].Value, Path: match.Groups["path"].Value)))
        {
            File.Exists(Path.Combine(Root, applied.Path, applied.Flag == "f" ? "" : "kustomization.yaml")).Should().BeTrue("{0} applies {1}", path, applied.Path);
        }
    }

    [GeneratedRegex(@"(?<![\w/.-])(?:docs|config|charts|changelog|Ome\.(?:Shared|Agent|Operator|Tests|KubeOps|LocalCluster|Benchmarks))/[\w./-]+", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RepositoryPath();

    [GeneratedRegex(@"^(?<target>[a-z][a-z-]*):", RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1000)]
    private static partial Regex MakeTarget();

    [GeneratedRegex(@"(?:^|[\s;&(])make (?<target>[a-z][a-z-]*)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MakeCall();

    [GeneratedRegex(@"(?<![\w./-])(?:model_agent|ome_(?:model|operator|queue|build))_[a-z0-9_]*[a-z0-9](?![\w*])", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MetricName();

    [GeneratedRegex(@"kubectl (?:apply|delete|kustomize)[^|;`]*? (?:-(?<flag>k|f) )?(?<path>(?:config|charts)/[\w./-]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Applied();
}
