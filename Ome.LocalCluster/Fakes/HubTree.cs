using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster.Fakes;

/// <summary>A commit's files as the hub's tree route lists them: files and directories, in order of path.</summary>
internal static class HubTree
{
    /// <summary>Entries below a directory; null when there is no such directory.</summary>
    public static List<(string Path, JsonNode Json)>? Entries(IReadOnlyDictionary<string, HubContent> files, string directory, bool recursive)
    {
        var prefix = directory.Length == 0 ? "" : directory + "/";
        var entries = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        foreach (var (path, content) in files)
        {
            if (!path.StartsWith(prefix, StringComparison.Ordinal)) continue;
            for (var slash = path.IndexOf('/', prefix.Length); slash > 0; slash = path.IndexOf('/', slash + 1))
            {
                entries.TryAdd(path[..slash], Folder(path[..slash]));
                if (!recursive) break;
            }

            if (recursive || path.IndexOf('/', prefix.Length) < 0) entries[path] = FileEntry(path, content);
        }

        return entries.Count == 0 && directory.Length > 0 ? null : [.. entries.Select(entry => (entry.Key, entry.Value))];
    }

    private static JsonObject FileEntry(string path, HubContent content)
    {
        var entry = new JsonObject { ["type"] = "file", ["oid"] = content.Oid, ["size"] = content.Length };
        if (content.IsLfs)
        {
            entry["lfs"] = new JsonObject { ["oid"] = content.Sha256, ["size"] = content.Length, ["pointerSize"] = content.Pointer.Length };
        }

        entry["path"] = path;
        return entry;
    }

    private static JsonObject Folder(string path) => new()
    {
        ["type"] = "directory",
        ["oid"] = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(path))),
        ["size"] = 0,
        ["path"] = path,
    };
}
