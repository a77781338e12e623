using System.Net;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Staging;

/// <summary>Told of what sources give and ask: metrics. Must not block or throw.</summary>
public interface IStagingObserver
{
    void Fetched(ModelKey key, long bytes);

    /// <summary>A source asked for fewer requests, and a pause follows.</summary>
    void RateLimited(ModelKey key, TimeSpan pause);
}

/// <summary>Knows which model the present flow of calls fetches for: a retry deep inside an HTTP pipeline has no other way to tell.</summary>
public sealed class StagingFlow(IStagingObserver? observer = null)
{
    private readonly AsyncLocal<ModelKey?> _model = new();

    /// <summary>What the calling method starts from here on is for this model.</summary>
    public void Enter(ModelKey key) => _model.Value = key;

    public void Fetched(long bytes)
    {
        if (_model.Value is { } key) observer?.Fetched(key, bytes);
    }

    /// <summary>A request is sent again after a pause; counts when the answer was "too many requests".</summary>
    public void Retries(HttpResponseMessage? answer, TimeSpan pause)
    {
        if (answer?.StatusCode == HttpStatusCode.TooManyRequests && _model.Value is { } key) observer?.RateLimited(key, pause);
    }
}
