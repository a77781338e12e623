using System.Security.Cryptography;
using System.Text;

namespace Ome.LocalCluster.Fakes;

/// <summary>Who may read a repository.</summary>
public enum HubAccess
{
    /// <summary>Everybody.</summary>
    Public,

    /// <summary>Everybody may list; files need a token whose owner was granted access.</summary>
    Gated,

    /// <summary>Only tokens with access see that it exists.</summary>
    Private,
}

/// <summary>A model repository: commits that never change and branches that point at them.</summary>
public sealed class HubRepository
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SortedDictionary<string, HubContent>> _commits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _branches = new(StringComparer.Ordinal);

    internal HubRepository(string id) => Id = id;

    /// <summary><c>owner/name</c>.</summary>
    public string Id { get; }

    public HubAccess Access { get; set; }

    /// <summary>Commit the default branch points at.</summary>
    public string Head
    {
        get
        {
            lock (_lock) return _branches["main"];
        }
    }

    /// <summary>Commits a whole new tree to a branch.</summary>
    /// <returns>The commit's sha.</returns>
    public string Commit(IEnumerable<KeyValuePair<string, HubContent>> files, string branch = "main")
    {
        var tree = new SortedDictionary<string, HubContent>(StringComparer.Ordinal);
        foreach (var (path, content) in files) tree[path] = content;
        lock (_lock)
        {
            var parent = _branches.GetValueOrDefault(branch, "");
            var text = new StringBuilder(Id).Append('\n').Append(parent).Append('\n');
            foreach (var (path, content) in tree) text.Append(content.Sha256).Append(' ').Append(path).Append('\n');
            var sha = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(text.ToString())));
            _commits[sha] = tree;
            _branches[branch] = sha;
            return sha;
        }
    }

    /// <summary>Commits the branch's tree with one file put in or replaced: the branch moves.</summary>
    public string Put(string path, byte[] content, string branch = "main")
    {
        Dictionary<string, HubContent> files;
        lock (_lock) files = new(_commits[_branches[branch]], StringComparer.Ordinal);
        files[path] = HubContent.Of(path, content);
        return Commit(files, branch);
    }

    /// <summary>Finds a branch or a commit.</summary>
    internal bool TryResolve(string revision, out string sha, out IReadOnlyDictionary<string, HubContent> files)
    {
        lock (_lock)
        {
            sha = _branches.GetValueOrDefault(revision == "HEAD" ? "main" : revision, revision);
            var found = _commits.TryGetValue(sha, out var tree);
            files = tree ?? [];
            return found;
        }
    }
}
