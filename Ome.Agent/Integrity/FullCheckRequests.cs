using System.Collections.Concurrent;
using Ome.Agent.Models;
using Ome.Shared.Domain.Models;

namespace Ome.Agent.Integrity;

/// <summary>What somebody asked for and no check has answered: one value from each of the two places to ask in.</summary>
/// <param name="OnModel">The model's annotation <c>ome.io/verify-now</c>; null when nothing is open there.</param>
/// <param name="OnCheck"><c>spec.requestedAt</c> of the node's ModelIntegrityCheck; null when nothing is open there.</param>
public sealed record FullCheckRequest(string? OnModel, string? OnCheck)
{
    /// <summary>Nothing is open.</summary>
    public static FullCheckRequest None { get; } = new(null, null);

    public bool IsOpen => OnModel is not null || OnCheck is not null;

    /// <summary>The record of a model whose full check answers these.</summary>
    public ModelRecord AnswerIn(ModelRecord record) => record with
    {
        AnsweredRequest = OnModel ?? record.AnsweredRequest,
        AnsweredCheckRequest = OnCheck ?? record.AnsweredCheckRequest,
    };
}

/// <summary>Full checks asked for. Any value that was not answered yet asks for one; the two places do not answer for each other.</summary>
public sealed class FullCheckRequests
{
    private readonly ConcurrentDictionary<ModelKey, FullCheckRequest> _open = new();

    /// <summary>What is open now; a check takes it along, so that what is asked meanwhile stays open.</summary>
    public FullCheckRequest Of(ModelKey key) => _open.GetValueOrDefault(key, FullCheckRequest.None);

    /// <summary>Notes what is asked for; true when it was neither answered nor open before.</summary>
    public bool Ask(ModelKey key, ModelRecord? record, FullCheckRequest asked)
    {
        var fresh = new FullCheckRequest(Unanswered(asked.OnModel, record?.AnsweredRequest), Unanswered(asked.OnCheck, record?.AnsweredCheckRequest));
        if (!fresh.IsOpen) return false;
        var before = Of(key);
        var after = new FullCheckRequest(fresh.OnModel ?? before.OnModel, fresh.OnCheck ?? before.OnCheck);
        if (after == before) return false;
        _open[key] = after;
        return true;
    }

    /// <summary>A full check that began with these has ended.</summary>
    public void Answered(ModelKey key, FullCheckRequest answered)
    {
        if (_open.TryRemove(KeyValuePair.Create(key, answered)) || !_open.TryGetValue(key, out var open)) return;
        var left = new FullCheckRequest(Unanswered(open.OnModel, answered.OnModel), Unanswered(open.OnCheck, answered.OnCheck));
        _open.TryUpdate(key, left, open);
    }

    public void Forget(ModelKey key) => _open.TryRemove(key, out _);

    private static string? Unanswered(string? asked, string? answered) => string.IsNullOrEmpty(asked) || asked == answered ? null : asked;
}
