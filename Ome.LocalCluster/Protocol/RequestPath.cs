namespace Ome.LocalCluster.Protocol;

/// <summary>A URL path of the resource API, taken apart.</summary>
/// <param name="Group">Empty for <c>/api</c>.</param>
/// <param name="Version">e.g. <c>v1</c>.</param>
/// <param name="Namespace">Empty when the path names none.</param>
/// <param name="Resource">Plural.</param>
/// <param name="Name">Empty for the collection.</param>
/// <param name="Subresource">Empty for the object itself.</param>
public sealed record RequestPath(string Group, string Version, string Namespace, string Resource, string Name, string Subresource)
{
    /// <summary>Reads <c>/api/v1/…</c> and <c>/apis/group/version/…</c>; null for anything else, also for the bare group version.</summary>
    public static RequestPath? Parse(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["api", var version, .. var rest] => Parse("", version, rest),
            ["apis", var group, var version, .. var rest] => Parse(group, version, rest),
            _ => null,
        };
    }

    private static RequestPath? Parse(string group, string version, ReadOnlySpan<string> rest)
    {
        var ns = "";
        // /namespaces/NAME and its subresources are the namespace itself; a longer path is something inside it.
        if (rest is ["namespaces", var given, _, ..] && !(rest[2] is "status" or "finalize" && rest.Length == 3))
        {
            ns = given;
            rest = rest[2..];
        }
        return rest switch
        {
            [var resource] => new(group, version, ns, resource, "", ""),
            [var resource, var name] => new(group, version, ns, resource, name, ""),
            [var resource, var name, var subresource] => new(group, version, ns, resource, name, subresource),
            _ => null,
        };
    }
}
