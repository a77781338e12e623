namespace Ome.LocalCluster.Faults;

/// <summary>What goes wrong with requests that fit.</summary>
public sealed record FaultRule
{
    /// <summary>API verb (<c>get</c>, <c>list</c>, <c>watch</c>, <c>create</c>, <c>update</c>, <c>patch</c>, <c>delete</c>); null for all.</summary>
    public string? Verb { get; init; }

    /// <summary>Plural, e.g. <c>configmaps</c>; null for all.</summary>
    public string? Resource { get; init; }

    /// <summary>Subresource, e.g. <c>status</c>; null for all, empty for the object itself.</summary>
    public string? Subresource { get; init; }

    /// <summary>Namespace; null for all.</summary>
    public string? Namespace { get; init; }

    /// <summary>Object name; null for all.</summary>
    public string? Name { get; init; }

    /// <summary>Who asks, e.g. <c>system:serviceaccount:ome:ome-operator</c>; null for all.</summary>
    public string? User { get; init; }

    /// <summary>How many requests that fit pass unharmed first.</summary>
    public int Skip { get; init; }

    /// <summary>How many requests are then hit; null for all until the rule is removed.</summary>
    public int? Times { get; init; }

    /// <summary>Wait before the request is worked on.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>Answer with this HTTP code (409, 410, 429, 500, 503, …) instead of working; null to work on.</summary>
    public int? Code { get; init; }

    /// <summary>Sent with <see cref="Code"/> as <c>Retry-After</c>, seconds.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Do the work, then cut the connection before the answer: the client cannot know what happened.</summary>
    public bool LoseAnswer { get; init; }

    /// <summary>Cut the connection instead of working.</summary>
    public bool CutConnection { get; init; }

    internal bool Fits(RequestFacts request) =>
        (Verb ?? request.Verb) == request.Verb && (Resource ?? request.Resource) == request.Resource && (Subresource ?? request.Subresource) == request.Subresource
        && (Namespace ?? request.Namespace) == request.Namespace && (Name ?? request.Name) == request.Name
        && (User ?? request.User) == request.User;
}

/// <summary>A request as fault rules and the request log see it.</summary>
public sealed record RequestFacts(string Verb, string Group, string Resource, string Subresource, string Namespace, string Name, string User)
{
    /// <summary>What a list or watch was narrowed to by labels; empty for everything.</summary>
    public string LabelSelector { get; init; } = string.Empty;
}
