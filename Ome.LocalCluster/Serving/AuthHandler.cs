using System.Text.Json.Nodes;
using Ome.LocalCluster.Protocol;
using Ome.LocalCluster.Security;
using Ome.LocalCluster.Storage;
using Ome.LocalCluster.Writing;

namespace Ome.LocalCluster.Serving;

/// <summary>Who may do what: service-account tokens, token and access reviews. Nothing here is stored.</summary>
internal sealed class AuthHandler(ObjectStore store, ServiceAccountTokens tokens, RbacAuthorizer rbac, bool enforceRbac, TimeProvider clock)
{
    /// <summary>The virtual resources, for discovery.</summary>
    public static readonly (string Group, string Plural, string Kind)[] Reviews =
    [
        ("authentication.k8s.io", "tokenreviews", "TokenReview"),
        ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
        ("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
        ("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ];

    /// <summary>Answers 201 for one of <see cref="Reviews"/>.</summary>
    public async Task ReviewAsync(ApiRequest request, RequestPath path)
    {
        var body = await RequestBody.ReadObjectAsync(request);
        var review = Reviews.First(r => r.Plural == path.Resource);
        body["apiVersion"] = $"{review.Group}/v1";
        body["kind"] = review.Kind;
        body["status"] = path.Resource switch
        {
            "tokenreviews" => TokenStatus(body.Map("spec")?.Text("token") ?? ""),
            "selfsubjectreviews" => new JsonObject { ["userInfo"] = UserInfo(request.Who) },
            "selfsubjectaccessreviews" => AccessStatus(request.Who, body, self: true),
            _ => AccessStatus(SubjectOf(body), body, self: false),
        };
        await request.JsonAsync(body, 201);
    }

    /// <summary>POST serviceaccounts/NAME/token.</summary>
    public async Task TokenAsync(ApiRequest request, RequestPath path)
    {
        var account = store.Get(store.Collection("serviceaccounts"), new ObjectKey(path.Namespace, path.Name)) ?? throw ApiException.NotFound("", "serviceaccounts", path.Name);
        var body = await RequestBody.ReadOptionalAsync(request) ?? [];
        var spec = body.Child("spec");
        var seconds = Math.Clamp(spec.Integer("expirationSeconds") ?? 3600, 600, 1L << 32);
        var (token, expires) = tokens.Issue(account, TimeSpan.FromSeconds(seconds), spec.Texts("audiences"));
        spec["expirationSeconds"] = seconds;
        body["apiVersion"] = "authentication.k8s.io/v1";
        body["kind"] = "TokenRequest";
        body.Metadata()["name"] = path.Name;
        body.Metadata()["namespace"] = path.Namespace;
        body.Metadata()["creationTimestamp"] = ObjectMetadata.Timestamp(clock.GetUtcNow());
        body["status"] = new JsonObject { ["token"] = token, ["expirationTimestamp"] = ObjectMetadata.Timestamp(expires) };
        await request.JsonAsync(body, 201);
    }

    private JsonObject TokenStatus(string token) => tokens.Verify(token) is { } who
        ? new JsonObject { ["authenticated"] = true, ["user"] = UserInfo(who) }
        : new JsonObject { ["authenticated"] = false, ["error"] = "the token is not valid" };

    private JsonObject AccessStatus(Identity who, JsonObject review, bool self)
    {
        var spec = review.Map("spec") ?? [];
        if (spec.Map("resourceAttributes") is not { } wanted)
            return new JsonObject { ["allowed"] = who.IsMaster || spec.ContainsKey("nonResourceAttributes"), ["reason"] = "" };
        var access = new AccessRequest(
            wanted.Text("verb") ?? "", wanted.Text("group") ?? "", wanted.Text("resource") ?? "", wanted.Text("subresource") ?? "",
            wanted.Text("namespace") ?? "", wanted.Text("name") ?? "");
        // Without enforcement everybody may do everything, and a question about oneself is answered with what will happen.
        var allowed = (self && !enforceRbac) || rbac.Allows(who, access);
        return new JsonObject { ["allowed"] = allowed, ["reason"] = allowed ? "" : access.Describe(who) };
    }

    private static Identity SubjectOf(JsonObject review)
    {
        var spec = review.Map("spec") ?? [];
        return new Identity(spec.Text("user") ?? "", spec.Text("uid") ?? "", [.. spec.Texts("groups")]);
    }

    private static JsonObject UserInfo(Identity who) => new() { ["username"] = who.User, ["uid"] = who.Uid, ["groups"] = who.Groups.ToJsonArray() };
}
