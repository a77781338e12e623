using System.Text;
using System.Text.Json.Nodes;

namespace Ome.LocalCluster;

/// <summary>The file kubectl and every client library read.</summary>
public static class Kubeconfig
{
    /// <summary>Writes a kubeconfig with one context; the file holds a token and is readable by its owner only.</summary>
    public static Task WriteAsync(string path, Uri server, string authorityPem, string token, CancellationToken cancellationToken = default) =>
        WriteAsync(path, Cluster(server, authorityPem), token, cancellationToken);

    /// <summary>How a server is reached and trusted, as a kubeconfig says it.</summary>
    public static JsonObject Cluster(Uri server, string authorityPem) => new()
    {
        ["server"] = server.AbsoluteUri.TrimEnd('/'),
        ["certificate-authority-data"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(authorityPem)),
    };

    /// <summary>As the other, with the <c>cluster</c> of another kubeconfig.</summary>
    public static async Task WriteAsync(string path, JsonObject cluster, string token, CancellationToken cancellationToken = default)
    {
        var text = $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: ome-local
              cluster: {Encoding.UTF8.GetString(Protocol.JsonText.ToUtf8(cluster))}
            users:
            - name: admin
              user:
                token: {token}
            contexts:
            - name: ome-local
              context:
                cluster: ome-local
                user: admin
            current-context: ome-local

            """;
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory) Directory.CreateDirectory(directory);
        File.Delete(path);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var stream = new FileStream(path, options);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
    }
}
