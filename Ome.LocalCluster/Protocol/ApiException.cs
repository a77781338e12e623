using System.Text.Json.Nodes;
using Ome.LocalCluster.Patching;
using Ome.LocalCluster.Schemas;

namespace Ome.LocalCluster.Protocol;

/// <summary>A request the server refuses: HTTP code and the <c>Status</c> body kube-apiserver would send.</summary>
public sealed class ApiException : Exception
{
    private ApiException(int code, string reason, string message) : base(message)
    {
        Code = code;
        Reason = reason;
    }

    /// <summary>HTTP status code.</summary>
    public int Code { get; }

    /// <summary><c>Status.reason</c>, e.g. <c>NotFound</c>.</summary>
    public string Reason { get; }

    /// <summary>Sent as <c>Retry-After</c> and <c>details.retryAfterSeconds</c>.</summary>
    public int? RetryAfterSeconds { get; private init; }

    private JsonObject? Details { get; init; }

    /// <summary>The <c>Status</c> object.</summary>
    public JsonObject ToStatus()
    {
        var status = StatusObjects.Failure(Code, Reason, Message);
        var details = Details?.DeepClone().AsObject();
        if (RetryAfterSeconds is { } seconds) (details ??= [])["retryAfterSeconds"] = seconds;
        if (details is not null) status["details"] = details;
        return status;
    }

    public static ApiException NotFound(string group, string plural, string name) =>
        new(404, "NotFound", $"{Qualified(group, plural)} \"{name}\" not found") { Details = Named(group, plural, name) };

    public static ApiException UnknownPath() => new(404, "NotFound", "the server could not find the requested resource") { Details = [] };

    public static ApiException AlreadyExists(string group, string plural, string name) =>
        new(409, "AlreadyExists", $"{Qualified(group, plural)} \"{name}\" already exists") { Details = Named(group, plural, name) };

    public static ApiException Conflict(string group, string plural, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {Qualified(group, plural)} \"{name}\": {why}") { Details = Named(group, plural, name) };

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyCollection<FieldError> errors)
    {
        var details = Named(group, kind, name);
        details["causes"] = Causes(errors.Select(e => e.ToCause()));
        return new(422, "Invalid", $"{Qualified(group, kind)} \"{name}\" is invalid: {FieldError.Join(errors)}") { Details = details };
    }

    public static ApiException Forbidden(string group, string plural, string name, string why) => new(
        403, "Forbidden", name.Length == 0 ? $"{Qualified(group, plural)} is forbidden: {why}" : $"{Qualified(group, plural)} \"{name}\" is forbidden: {why}")
    {
        Details = Named(group, plural, name),
    };

    public static ApiException NamespaceTerminating(string group, string plural, string name, string ns)
    {
        var details = Named(group, plural, name);
        details["causes"] = Causes([new StatusCause("NamespaceTerminating", $"namespace {ns} is being terminated", "metadata.namespace")]);
        var message = $"{Qualified(group, plural)} \"{name}\" is forbidden: unable to create new content in namespace {ns} because it is being terminated";
        return new(403, "Forbidden", message) { Details = details };
    }

    public static ApiException FromPatch(PatchException failure, string group, string plural, string name)
    {
        var details = Named(group, plural, name);
        if (failure.Causes.Count > 0) details["causes"] = Causes(failure.Causes);
        return new(failure.Code, failure.Reason, failure.Message) { Details = failure.Code == 400 ? null : details };
    }

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiException MethodNotAllowed() => new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource") { Details = [] };

    public static ApiException NotAcceptable(string accepted) =>
        new(406, "NotAcceptable", $"only the following media types are accepted: {accepted}");

    public static ApiException UnsupportedMediaType(string given, string accepted) => new(
        415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: {accepted}; got: {given}");

    public static ApiException TooLarge(long limit) => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {limit}");

    public static ApiException Expired(string message) => new(410, "Expired", message);

    /// <summary>A resourceVersion this server has not reached yet.</summary>
    public static ApiException FutureRevision(long asked, long current)
    {
        var details = new JsonObject { ["causes"] = Causes([new StatusCause("ResourceVersionTooLarge", "Too large resource version", "")]) };
        return new(504, "Timeout", $"Timeout: Too large resource version: {asked}, current: {current}") { Details = details, RetryAfterSeconds = 1 };
    }

    /// <summary>An answer that was ordered by fault injection.</summary>
    public static ApiException Injected(int code, int? retryAfterSeconds) =>
        new(code, ReasonOf(code), $"injected fault: {ReasonOf(code)}") { RetryAfterSeconds = retryAfterSeconds };

    private static string ReasonOf(int code) => code switch
    {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };

    private static string Qualified(string group, string plural) => group.Length == 0 ? plural : $"{plural}.{group}";

    private static JsonObject Named(string group, string kind, string name)
    {
        var details = new JsonObject();
        if (name.Length > 0) details["name"] = name;
        if (group.Length > 0) details["group"] = group;
        details["kind"] = kind;
        return details;
    }

    private static JsonArray Causes(IEnumerable<StatusCause> causes)
    {
        var list = new JsonArray();
        foreach (var cause in causes)
        {
            var entry = new JsonObject { ["reason"] = cause.Reason, ["message"] = cause.Message };
            if (cause.Field.Length > 0) entry["field"] = cause.Field;
            list.Add((JsonNode)entry);
        }
        return list;
    }
}
