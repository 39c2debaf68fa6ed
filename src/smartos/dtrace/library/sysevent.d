/* System events: what is posted, and on which channel. */
typedef struct syseventinfo { string se_class; string se_subclass; string se_publisher; } syseventinfo_t;
translator syseventinfo_t < sysevent_impl_t *ev > {
  se_class = stringof(ev->se_class_name);
  se_subclass = stringof(ev->se_subclass_name);
  se_publisher = stringof(ev->se_pub);
};
typedef struct syseventchaninfo { string ec_name; } syseventchaninfo_t;
translator syseventchaninfo_t < evch_bind_t *bind > {
  ec_name = bind == NULL ? NULL : stringof(bind->bd_channel->ch_name);
};
