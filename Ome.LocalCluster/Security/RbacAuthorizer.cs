using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Storage;

namespace Ome.LocalCluster.Security;

/// <summary>Judges requests by the stored Roles, ClusterRoles and their bindings.</summary>
/// <remarks>Rules are compiled once and again when any RBAC object changed. Aggregated ClusterRoles and escalation checks are not modelled.</remarks>
public sealed class RbacAuthorizer(ObjectStore store)
{
    private const string Group = "rbac.authorization.k8s.io";

    private readonly ObjectCollection _roles = store.Collection($"roles.{Group}");
    private readonly ObjectCollection _clusterRoles = store.Collection($"clusterroles.{Group}");
    private readonly ObjectCollection _bindings = store.Collection($"rolebindings.{Group}");
    private readonly ObjectCollection _clusterBindings = store.Collection($"clusterrolebindings.{Group}");
    private Compiled _compiled = new(-1, []);

    /// <summary>True when a rule allows it.</summary>
    public bool Allows(Identity who, AccessRequest request)
    {
        if (who.IsMaster || IsBasic(request)) return true;
        foreach (var grant in Current().Grants)
        {
            if (grant.Namespace.Length > 0 && grant.Namespace != request.Namespace) continue;
            if (grant.Subjects.Any(s => s.Is(who)) && grant.Rules.Any(r => r.Covers(request))) return true;
        }
        return false;
    }

    // What system:basic-user gives to every authenticated user.
    private static bool IsBasic(AccessRequest request) =>
        request is { Verb: "create", Group: "authorization.k8s.io", Resource: "selfsubjectaccessreviews" or "selfsubjectrulesreviews" }
            or { Verb: "create", Group: "authentication.k8s.io", Resource: "selfsubjectreviews" };

    private Compiled Current()
    {
        var revision = Math.Max(Math.Max(_roles.LastRevision, _clusterRoles.LastRevision), Math.Max(_bindings.LastRevision, _clusterBindings.LastRevision));
        var compiled = Volatile.Read(ref _compiled);
        if (compiled.Revision == revision) return compiled;
        compiled = new Compiled(revision, [.. Compile(_bindings), .. Compile(_clusterBindings)]);
        Volatile.Write(ref _compiled, compiled);
        return compiled;
    }

    private IEnumerable<Grant> Compile(ObjectCollection bindings)
    {
        foreach (var (key, stored) in store.List(bindings).Objects)
        {
            var binding = stored.Parse();
            var role = binding.Map("roleRef");
            var name = role?.Text("name") ?? "";
            var found = role?.Text("kind") == "Role" ? store.Get(_roles, new ObjectKey(key.Namespace, name)) : store.Get(_clusterRoles, new ObjectKey("", name));
            if (found is null) continue;
            yield return new Grant(
                key.Namespace,
                [.. (binding.List("subjects") ?? []).OfType<JsonObject>().Select(s => new Subject(s.Text("kind") ?? "", s.Text("namespace") ?? "", s.Text("name") ?? ""))],
                [.. (found.Parse().List("rules") ?? []).OfType<JsonObject>().Select(r => new Rule(r.Texts("verbs"), r.Texts("apiGroups"), r.Texts("resources"), r.Texts("resourceNames")))]);
        }
    }

    private sealed record Compiled(long Revision, IReadOnlyList<Grant> Grants);

    /// <summary>Rules for subjects; <paramref name="Namespace"/> is empty when they hold everywhere.</summary>
    private sealed record Grant(string Namespace, IReadOnlyList<Subject> Subjects, IReadOnlyList<Rule> Rules);

    private sealed record Subject(string Kind, string Namespace, string Name)
    {
        public bool Is(Identity who) => Kind switch
        {
            "ServiceAccount" => who.User == $"system:serviceaccount:{Namespace}:{Name}",
            "Group" => who.Groups.Contains(Name, StringComparer.Ordinal),
            "User" => who.User == Name,
            _ => false,
        };
    }

    private sealed record Rule(List<string> Verbs, List<string> Groups, List<string> Resources, List<string> Names)
    {
        public bool Covers(AccessRequest request) =>
            Has(Verbs, request.Verb) && Has(Groups, request.Group) && HasResource(request) && (Names.Count == 0 || (request.Name.Length > 0 && Names.Contains(request.Name)));

        private bool HasResource(AccessRequest request) =>
            Has(Resources, request.ResourceWithSub) || (request.Subresource.Length > 0 && Resources.Contains($"*/{request.Subresource}"));

        private static bool Has(List<string> allowed, string wanted) => allowed.Contains("*") || allowed.Contains(wanted);
    }
}
