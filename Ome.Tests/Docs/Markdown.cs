using System.Text.RegularExpressions;
using Ome.Tests.Architecture;
using Ome.Tests.Support;

namespace Ome.Tests.Docs;

/// <summary>The pages of the repository, as far as tests hold them to something.</summary>
internal sealed partial class Markdown
{
    private static readonly string[] NotOurs = [".git", "bin", "obj", "artifacts", "TestResults"];

    private Markdown(string path)
    {
        Path = path;
        var (prose, commands, anchors) = (new List<string>(), new List<string>(), new HashSet<string>(StringComparer.Ordinal));
        var fenced = false;
        foreach (var line in Golden.ReadFile(path).Split('\n'))
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal)) fenced = !fenced;
            else if (fenced || line.StartsWith("    ", StringComparison.Ordinal)) commands.Add(line.Trim());
            else prose.Add(line);
            if (!fenced && Heading().Match(line) is { Success: true } heading) AddAnchor(anchors, heading.Groups["text"].Value);
        }

        (Prose, CodeLines, Anchors) = (string.Join('\n', prose), commands, anchors);
    }

    /// <summary>Relative to the repository's root.</summary>
    public string Path { get; }

    /// <summary>Everything outside code blocks.</summary>
    public string Prose { get; }

    /// <summary>Lines of code blocks.</summary>
    public IReadOnlyList<string> CodeLines { get; }

    /// <summary>Texts between back-ticks in the prose.</summary>
    public IEnumerable<string> CodeSpans => Span().Matches(Prose).Select(static span => span.Groups["code"].Value);

    /// <summary>Names of headings, as links give them.</summary>
    public IReadOnlySet<string> Anchors { get; }

    /// <summary>Targets of links.</summary>
    public IEnumerable<string> Links => Link().Matches(Span().Replace(Prose, "")).Select(static link => link.Groups["target"].Value);

    /// <summary>Every page that is ours.</summary>
    public static IReadOnlyList<Markdown> All { get; } = [.. Files(RepositoryTests.RepositoryRoot())];

    /// <summary>Reads one page.</summary>
    public static Markdown Read(string path) => new(path);

    public override string ToString() => Path;

    private static IEnumerable<Markdown> Files(string root) => Directory.EnumerateFiles(root, "*.md", SearchOption.AllDirectories)
        .Select(file => System.IO.Path.GetRelativePath(root, file)).Where(static file => !file.Split('/').Any(static part => NotOurs.Contains(part)))
        .Order(StringComparer.Ordinal).Select(Read);

    // As GitHub makes them: lower case, punctuation gone, blanks to dashes, the second of a name numbered.
    private static void AddAnchor(HashSet<string> anchors, string heading)
    {
        var name = Punctuation().Replace(heading.Trim().ToLowerInvariant(), "").Replace(' ', '-');
        for (var serial = 0; !anchors.Add(serial == 0 ? name : $"{name}-{serial}"); serial++)
        {
        }
    }

    [GeneratedRegex("^#+ (?<text>.+)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Punctuation();

    [GeneratedRegex("`(?<code>[^`\n]+)`", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Span();

    [GeneratedRegex(@"\[[^\]]*\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Link();
}
