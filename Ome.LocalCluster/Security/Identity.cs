namespace Ome.LocalCluster.Security;

/// <summary>Who sends a request.</summary>
public sealed record Identity(string User, string Uid, IReadOnlyList<string> Groups)
{
    public const string Masters = "system:masters";
    public const string Authenticated = "system:authenticated";

    public static Identity Admin { get; } = new("kubernetes-admin", "", [Masters, Authenticated]);

    public bool IsMaster => Groups.Contains(Masters, StringComparer.Ordinal);

    public static Identity ServiceAccount(string ns, string name, string uid) => new(
        $"system:serviceaccount:{ns}:{name}", uid, ["system:serviceaccounts", $"system:serviceaccounts:{ns}", Authenticated]);
}
