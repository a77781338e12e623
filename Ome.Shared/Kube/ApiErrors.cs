using System.Globalization;
using System.Net;

namespace Ome.Shared.Kube;

/// <summary>The API server answered a list or watch with something else than what was asked for.</summary>
internal sealed class ApiStatusException(HttpStatusCode code, string message, TimeSpan? retryAfter = null) : Exception(message)
{
    /// <summary>The HTTP status, or the code of an ERROR event within a watch.</summary>
    public HttpStatusCode Code { get; } = code;

    /// <summary>How long the server asks to wait.</summary>
    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>The resourceVersion or continue token is too old: list anew.</summary>
    public bool Expired => Code == HttpStatusCode.Gone;
}

/// <summary>What a failed list or watch means, and what a person can do about it.</summary>
internal static class ApiTrouble
{
    /// <summary>One sentence with the cause and one with the remedy; never a token or a body.</summary>
    public static (string Cause, string Remedy) Explain(Exception error, ResourceEndpoint endpoint, string? ns, Uri server) => error switch
    {
        ApiStatusException { Code: HttpStatusCode.NotFound } => (
            $"the API server does not serve {endpoint.DisplayName} {endpoint.Version}",
            endpoint.Group == "ome.io" ? "Install the custom resource definitions: kubectl apply -k config/crd." : "Check the version of the cluster."),
        ApiStatusException { Code: HttpStatusCode.Unauthorized } => (
            "the API server does not accept our credentials",
            "Check that the service account still exists and that its token is mounted."),
        ApiStatusException { Code: HttpStatusCode.Forbidden } => (
            $"get, list and watch of {endpoint.DisplayName} {(ns is null ? "in the whole cluster" : $"in namespace '{ns}'")} are not allowed",
            "Apply config/rbac and check that its bindings name our service account."),
        ApiStatusException { Expired: true } => ("the server's history no longer reaches back to where we stopped", "None needed: everything is listed again."),
        ApiStatusException { Code: HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable } => (
            "the API server is overloaded", "None needed: we slow down. If it lasts, look at the API server's priority and fairness metrics."),
        ApiStatusException status => (
            string.Create(CultureInfo.InvariantCulture, $"the API server answered {(int)status.Code}: {status.Message}"), "Look into the log of the API server."),
        TimeoutException => (error.Message, "Check the load of the API server and the network between it and this node."),
        HttpRequestException or IOException => (
            $"the API server {server.Host}:{server.Port} cannot be reached ({error.Message})",
            "Check that it runs, the network policy, DNS, and KUBERNETES_SERVICE_HOST or the kubeconfig."),
        _ => ($"{error.GetType().Name}: {error.Message}", "This is unexpected; please report it with the log."),
    };
}
